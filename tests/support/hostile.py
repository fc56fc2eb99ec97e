"""Texts that would be markup if a page understood them, where somebody else's texts are shown."""

from __future__ import annotations

import re
from itertools import cycle
from urllib.parse import urlsplit

from playwright.sync_api import Page

from engines.benchmark.recording import to_text
from tests.support.measurements import CARD, line, recording

# Each stays itself on the screen. `window.evil` is set where one of them is run.
TEXTS = (
    "<img src=//evil.example/1 onerror=evil=1>",
    '"><script>evil=1</script>',
    "<a href=javascript:evil=1>x</a>",
    "</SCRIPT><svg onload=evil=1>",
    "[a](https://evil.example/2)",
    "[a](javascript:evil=1)",
    "![b](https://evil.example/3.png)",
    "https://evil.example/4",
    "www.evil.example",
    "a@evil.example",
    "<https://evil.example/5>",
    r"$\href{https://evil.example/6}{x}$",
    "$$evil$$",
    ":material/home: evil",
    ":red[evil] :streamlit:",
    "**evil** _evil_ ~evil~",
    "`evil`",
    "# evil",
    "&lt;evil&gt;",
    "| evil | b |",
    "{{evil}} ${evil} %evil%",
    "evil -> evil -- evil >= evil ~= evil (c)",
)
SHORT = tuple(text for text in TEXTS if len(text) <= 30)  # as long as a column's name may be

MARKUP = """
    () => {
      const found = window.evil === undefined ? [] : ["run"];
      const acts = /^(on.*|.*href|src|srcset|action|data|poster|style)$/;
      const marks = ".stMarkdown :is(a, em, del, h1, h2, h3, h4, h5, h6, img, .katex)";
      const look = (root) => {
        for (const element of root.querySelectorAll("*")) {
          for (const { name, value } of element.attributes) {
            if (acts.test(name) && value.includes("evil")) found.push(`${name}=${value}`);
          }
          if (element.matches(marks) && element.textContent.includes("evil")) {
            found.push(element.outerHTML);
          }
          if (element.shadowRoot) look(element.shadowRoot);
        }
      };
      look(document);
      return found;
    }
"""


def hostile_recording() -> str:
    """A recording with one of these wherever it has a text."""
    texts = cycle(TEXTS)
    cards = [CARD._replace(name=next(texts), driver=next(texts)) for _ in range(4)]
    cpu, gpu = line(1e-6, 300, threads=16), line(20e-6, 10_000, device="cuda", threads=16)
    made = recording(cpu, gpu, name=next(texts), gpus=cards)
    machine = made.machine._replace(processor=next(texts), system=next(texts))
    libraries = {text: next(texts) for text in TEXTS}
    return to_text(made._replace(machine=machine, libraries=libraries, settings={TEXTS[0]: "evil"}))


def understood(page: Page) -> list[str]:
    """What of them the page has taken for markup."""
    found: list[str] = page.evaluate(MARKUP)
    return found


def not_shown(text: str) -> list[str]:
    """Those that are not on the page, whose text this is, as they were written."""
    shown = " ".join(text.replace("\u2060", "").split())
    return [one for one in TEXTS if one not in shown]


def bring(page: Page, content: str, name: str = "<img src=x onerror=evil=1>[a](b).json") -> None:
    """Upload a file where recordings are brought."""
    file = {"name": name, "mimeType": "application/json", "buffer": content.encode()}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)  # type: ignore[arg-type]


def elsewhere(page: Page) -> list[str]:
    """Grows with each request that goes to no place of this server."""
    asked: list[str] = []
    own = re.compile(r"(data|blob|about):")

    def note(url: str) -> None:
        if not own.match(url) and urlsplit(url).hostname != "127.0.0.1":
            asked.append(url)

    page.on("request", lambda request: note(request.url))
    page.on("dialog", lambda dialog: asked.append(f"a dialog: {dialog.message}"))
    return asked
