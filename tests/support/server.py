"""The app as a visitor meets it: a server of our own, a browser, and a client of the protocol.

Shared by the browser tests, `tests.bench` and `tests.attack`. Everything stays on 127.0.0.1.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from server.faults import SORRY
from views.ui.contents import PAGES

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 90  # on a machine that others use, too
RUN_SECONDS = 60
VIEWPORT: ViewportSize = {"width": 1280, "height": 900}
# The first has no windows, menus and tabs of its own, which take as long to draw as our pages.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 90_000  # ms: a first visit to a chapter trains, on a machine that may be busy
IDLE = (
    '[data-testid="stApp"]'
    '[data-test-connection-state="CONNECTED"][data-test-script-state="notRunning"]'
)


def pages(repository: Path = REPOSITORY) -> list[str]:
    """The path of every page of the app: "/" for Home, then one for each file in pages/."""
    return ["/", *(f"/{file.stem}" for file in sorted((repository / "pages").glob("*.py")))]


def chapters() -> list[str]:
    """The address of every chapter of every page, and of the pages that have none."""
    return [
        f"/{page.path}" + (f"?chapter={chapter.name}" if chapter else "")
        for page in PAGES
        for chapter in page.chapters or (None,)
    ]


def has_player(path: str) -> bool:
    """Whether the page at this path plays a run."""
    return urlsplit(path).path != "/gpu_speedup"


# ---- The server


@dataclass(frozen=True)
class Server:
    """A running app. `log` is what it has printed, growing; cwd: the folder it runs in."""

    url: str
    pid: int
    log: Path
    cwd: Path = REPOSITORY


@contextmanager
def running(
    app: str = "app.py",
    cwd: Path = REPOSITORY,
    *,
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    port: int | None = None,
    through: Sequence[str] = (),
) -> Iterator[Server]:
    """Run `app` on a port of this machine, and end that process, and only it, on leaving.

    arguments: further ones, for Streamlit. environment: what it is given beyond our own. log: where
    it writes, in place of a file that is deleted on leaving. port: if not a free one. through: a
    command that becomes the one it is given.
    Raises RuntimeError, with what the server printed, if it does not answer in time.
    """
    port = port or free_port()
    command = [*through, sys.executable, "-m", "streamlit", "run", app]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    command += ["--server.headless", "true", "--browser.gatherUsageStats", "false", *arguments]
    with TemporaryDirectory() as folder:
        log = log or Path(folder) / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env={**os.environ, **(environment or {})},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            server = Server(f"http://127.0.0.1:{port}", process.pid, log, cwd)
            _wait_until_healthy(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_healthy(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5):
                return
        except urllib.error.HTTPError:
            return  # it has another base path, and answers
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{_printed(server)}")


def _printed(server: Server) -> str:
    return server.log.read_text(errors="replace") if server.log.is_file() else "to nowhere"


# ---- The browser


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, or Playwright's own where there is none."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def open_page(
    browser: Browser | BrowserContext,
    url: str,
    *,
    viewport: ViewportSize = VIEWPORT,
    color_scheme: str = "light",
    prepare: Callable[[Page], None] | None = None,
) -> Page:
    """Open `url` as a new visitor, and wait until its run has ended.

    browser: with a profile of the visitor's own; or a profile that has been here, and need not read
    and compile Streamlit's scripts again.
    prepare: called with the blank page, to attach listeners before anything is loaded.
    """
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.set_viewport_size(viewport)
    page.emulate_media(color_scheme=color_scheme)  # type: ignore[arg-type]
    if prepare:
        prepare(page)
    page.goto(url)
    wait_until_idle(page)
    # A mouse that was never moved is at the upper edge, which in a lecture brings the header.
    page.mouse.move(0, viewport["height"] - 1)
    return page


def wait_until_idle(page: Page) -> None:
    """Wait until the page's run has ended and everything it sent is drawn.

    Right after a click or a key this looks too early without a pause: the browser's message is
    still on its way. Streamlit's own tests wait as long. What is below the stage of a lecture is
    not shown, and not drawn.
    """
    page.wait_for_timeout(155)
    page.wait_for_selector(IDLE, state="attached")
    page.wait_for_function(
        """() => document.querySelector('[data-testid="stSkeleton"]') === null
              && [...document.querySelectorAll('[data-testid="stVegaLiteChart"]')]
                 .every((chart) => !chart.checkVisibility()
                                   || chart.querySelector("canvas, svg.marks"))"""
    )


# ---- The client of the protocol


class Widget(NamedTuple):
    """A control found in what the server sent. kind: number_input, checkbox, selectbox, …"""

    id: str
    kind: str
    proto: Any

    @property
    def key(self) -> str:
        """The key its page gave it, empty if none. (An id is `$$ID-hash-key`.)"""
        key = self.id.split("-", 2)[-1]
        return "" if key == "None" else key

    @property
    def value(self) -> Any:
        """What the control shows when it is drawn, None for one that shows no value of its own."""
        if not hasattr(self.proto, "set_value"):
            return None
        if self.proto.set_value:  # the page wrote to it
            several = hasattr(self.proto, "raw_values")
            return self._field(
                "raw_values" if several else "raw_value" if self.options else "value"
            )
        default = self._field("default")
        options = self.options
        if not options or default is None:
            return default
        return [options[int(i)] for i in default] if isinstance(default, list) else options[default]

    @property
    def options(self) -> list[str]:
        """The visible texts of what it offers, empty for a control without options."""
        return [getattr(option, "content", option) for option in getattr(self.proto, "options", ())]

    def _field(self, name: str) -> Any:
        field = self.proto.DESCRIPTOR.fields_by_name[name]
        if field.is_repeated:
            return list(getattr(self.proto, name))
        if field.has_presence and not self.proto.HasField(name):
            return None
        return getattr(self.proto, name)


@dataclass(frozen=True)
class Run:
    """One run of a page's script: what came back, its size on the wire, how long it took.

    painted: seconds until the first element of the page was there. seconds: until the run ended.
    """

    messages: list[ForwardMsg]
    total_bytes: int
    painted: float
    seconds: float

    @property
    def widgets(self) -> list[Widget]:
        """Every control on the page, in the order sent."""
        kinds = ((element, element.WhichOneof("type")) for element in self._elements())
        protos = ((kind, getattr(element, kind)) for element, kind in kinds if kind)
        return [Widget(proto.id, kind, proto) for kind, proto in protos if getattr(proto, "id", "")]

    @property
    def errors(self) -> list[str]:
        """Exceptions that the page showed, or failed of, and compile errors."""
        shown = [element.exception for element in self._elements() if element.HasField("exception")]
        sorry = [SORRY for element in self._elements() if element.alert.body == SORRY]
        failed = ForwardMsg.FINISHED_WITH_COMPILE_ERROR
        compiled = all(message.script_finished != failed for message in self.messages)
        errors = [f"{exception.type}: {exception.message}" for exception in shown]
        return [*errors, *sorry, *(() if compiled else ["the page does not compile"])]

    def widget(self, key: str) -> Widget:
        """The control with that key, or whose key contains it. Raises LookupError for none."""
        widgets = self.widgets
        for widget in widgets:
            if widget.key == key:
                return widget
        for widget in widgets:
            if key in widget.key:
                return widget
        raise LookupError(f"no control {key!r} among {[widget.key for widget in widgets]}")

    def _elements(self) -> Iterator[Any]:
        for message in self.messages:
            if message.HasField("delta") and message.delta.HasField("new_element"):
                yield message.delta.new_element


class Visitor:
    """A session without a browser, which speaks to the server as Streamlit's frontend does.

    It opens a page at once: `first` is that run. What it sends and remembers follows the frontend:
    controls that were changed, the address they are bound to, and the large messages it already
    has, for which the server then sends a reference.
    """

    def __init__(
        self,
        url: str,
        path: str = "/",
        query: str = "",
        *,
        stays: bool = True,
        patience: float = RUN_SECONDS,
    ) -> None:
        """Open `path` of the app at `url`. query: as in an address, without the question mark.

        stays: whether to wait for the first run, as whoever stays does. patience: seconds that a
        run may take.
        """
        self._patience = patience
        self.query = query
        self._page_name = path.strip("/")
        self._page_hash = ""
        self._states: dict[str, WidgetState] = {}
        self._cache: dict[str, ForwardMsg] = {}
        address = urlsplit(url)
        opened = connect(
            f"ws://{address.netloc}/_stcore/stream",
            sock=_PromptSocket.connected(str(address.hostname), int(address.port or 80)),
            # The frontend sends its tokens as further subprotocols: none here, so only the first.
            subprotocols=[Subprotocol("streamlit")],
            max_size=None,
            ping_interval=None,
            proxy=None,
        )
        self._stack = ExitStack()
        self._connection = self._stack.enter_context(opened)
        self.ask()
        self.first = self.last = self.answer() if stays else Run([], 0, 0.0, 0.0)

    def rerun(self, changes: Mapping[str, Any] | None = None) -> Run:
        """Run the page again, after changing controls, and wait until that run ends."""
        self.ask(changes)
        return self.answer()

    def ask(self, changes: Mapping[str, Any] | None = None) -> None:
        """Ask for a run, after changing controls by key (or part of it). It ends the one before.

        Values as the frontend sends them: a number for number_input, True or False for checkbox
        and toggle, the visible text for selectbox and radio, a list of numbers for slider, a list
        of visible texts for select_slider, pills and multiselect.
        Raises LookupError if there is no such control.
        """
        for key, value in (changes or {}).items():
            self._set(self.last.widget(key), value)
        self._asked = time.perf_counter()
        self._connection.send(self._request().SerializeToString())

    def send(self, message: BackMsg) -> None:
        """Send any message, also one that no page sends."""
        self._connection.send(message.SerializeToString())

    def ask_with(self, states: Iterable[WidgetState]) -> None:
        """Ask for a run with whatever states, in place of what these controls hold."""
        request = self._request()
        request.rerun_script.widget_states.widgets.extend(states)
        self._asked = time.perf_counter()
        self.send(request)

    def answer(self) -> Run:
        """The run that was asked for last. Raises TimeoutError if it does not end."""
        messages: list[ForwardMsg] = []
        total_bytes, painted = 0, None
        for payload in self._payloads():
            total_bytes += len(payload)
            message = ForwardMsg.FromString(payload)
            messages.append(self._resolve(message))
            if painted is None and messages[-1].delta.HasField("new_element"):
                painted = time.perf_counter() - self._asked
            self._notice(message)
            if _ends_run(message):
                break
        seconds = time.perf_counter() - self._asked
        self.last = Run(messages, total_bytes, seconds if painted is None else painted, seconds)
        self._cache = {m.hash: m for m in messages if m.metadata.cacheable}
        self._remember_controls(self.last)
        return self.last

    def wait_for(self, kind: str) -> ForwardMsg:
        """The next message of that kind, whatever comes before it."""
        messages = map(ForwardMsg.FromString, self._payloads())
        return next(message for message in messages if message.WhichOneof("type") == kind)

    def vanish(self) -> None:
        """Be gone, as a machine that is switched off, without a word and with much unread."""
        with suppress(OSError):
            self._connection.socket.shutdown(socket.SHUT_RDWR)
        self.close()

    def close(self) -> None:
        """End the session."""
        self._stack.close()

    def __enter__(self) -> Self:
        """Return the visitor itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the session, whatever happened."""
        self.close()

    def _set(self, widget: Widget, value: Any) -> None:
        self._states[widget.id] = _state(widget.id, value)
        bound = getattr(widget.proto, "query_param_key", "")
        if bound:  # the frontend writes a bound control into the address
            texts = [f"{v:g}" if isinstance(v, float) else str(v) for v in _as_list(value)]
            rest = [(name, v) for name, v in parse_qsl(self.query) if name != bound]
            self.query = urlencode([*rest, *((bound, text) for text in texts)])

    def _request(self) -> BackMsg:
        request = BackMsg()
        client = request.rerun_script
        client.query_string = self.query
        client.page_name = self._page_name
        client.page_script_hash = self._page_hash
        client.widget_states.widgets.extend(self._states.values())
        client.cached_message_hashes.extend(self._cache)
        return request

    def _payloads(self) -> Iterator[bytes]:
        deadline = time.monotonic() + self._patience
        while True:
            payload = self._connection.recv(timeout=max(0.0, deadline - time.monotonic()))
            assert isinstance(payload, bytes)
            yield payload

    def _resolve(self, message: ForwardMsg) -> ForwardMsg:
        """The message itself, or what it refers to, placed where the reference says."""
        if not message.HasField("ref_hash"):
            return message
        found = ForwardMsg()
        found.CopyFrom(self._cache[message.ref_hash])
        found.metadata.CopyFrom(message.metadata)
        found.metadata.cacheable = True
        return found

    def _notice(self, message: ForwardMsg) -> None:
        if message.HasField("navigation"):
            self._page_hash = message.navigation.page_script_hash
        elif message.HasField("page_info_changed"):
            self.query = message.page_info_changed.query_string

    def _remember_controls(self, run: Run) -> None:
        """Keep what each control on the page holds: the server forgets what is not sent again."""
        states = {}
        for widget in run.widgets:
            written = getattr(widget.proto, "set_value", False)  # by the page, over the visitor's
            if widget.id in self._states and not written:
                states[widget.id] = self._states[widget.id]
            elif widget.value is not None:
                states[widget.id] = _state(widget.id, widget.value)
        self._states = states


def _ends_run(message: ForwardMsg) -> bool:
    early = ForwardMsg.FINISHED_EARLY_FOR_RERUN  # another run follows at once
    return message.HasField("script_finished") and message.script_finished != early


def _as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _state(widget_id: str, value: Any) -> WidgetState:
    state = WidgetState(id=widget_id)
    match value:
        case bool():
            state.bool_value = value
        case int() | float():
            state.double_value = value
        case str():
            state.string_value = value
        case [int() | float(), *_]:
            state.double_array_value.data.extend(value)
        case list():
            state.string_array_value.data.extend(value)
            state.string_array_value.SetInParent()  # an empty choice is a choice too
        case _:
            raise TypeError(f"no control takes {value!r}")
    return state


class _PromptSocket(socket.socket):
    """A socket that acknowledges at once.

    A delayed acknowledgement makes a server that has Nagle's algorithm on wait 40 ms now and then.
    Linux forgets the option while it sends, so it is set again after each read.
    """

    @classmethod
    def connected(cls, host: str, port: int) -> Self:
        """A connection to an address on this machine."""
        prompt = cls(socket.AF_INET, socket.SOCK_STREAM)
        prompt.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        prompt.connect((host, port))
        return prompt

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Read, then acknowledge where the platform lets us ask for it."""
        data = super().recv(size, flags)
        if data and hasattr(socket, "TCP_QUICKACK"):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return data
