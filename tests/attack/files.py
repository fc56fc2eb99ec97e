"""Files: more than may be brought, and full of markup."""

from __future__ import annotations

import random
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.attack.witness import at
from tests.support import hostile
from tests.support.server import (
    Server,
    Visitor,
    chapters,
    chromium,
    open_page,
    wait_until_idle,
)
from tests.support.table import Row


def uploads(server: Server, chance: random.Random) -> Iterator[Row]:
    """Files where none was asked for, many of them, and texts with HTML, links and images."""
    put = partial(upload, server)
    with at(server, "/gpu_speedup?chapter=machines") as visitor:
        large = put(file_urls(visitor, 1)[0], b" " * 3_000_000)
        urls = file_urls(visitor, 40)
        codes = [put(url, b"{" + b" " * 900_000 + b"}") for url in urls]
        stranger = put("/_stcore/upload_file/nobody/1", b"{}")
    taken = sum(code < 300 for code in codes)
    met = f"{taken} of {len(codes)} taken, a stranger's {stranger}, one of 3 MB {large}"
    yield Row("40 files of 1 MB", met, ok=taken <= 10 and stranger >= 400 and large >= 400)


def markup(server: Server, chance: random.Random) -> Iterator[Row]:
    """Texts that would be markup: in each text of a recording, in each setting of each address."""
    with chromium() as browser:
        page = open_page(browser, f"{server.url}/gpu_speedup?chapter=machines")
        out = hostile.elsewhere(page)
        hostile.bring(page, hostile.hostile_recording())
        page.get_by_text("Your recording has").wait_for()
        wait_until_idle(page)
        missing = hostile.not_shown(page.locator("body").inner_text())
        found = hostile.understood(page)
        met = f"{len(missing)} not shown as they are; understood: {found[:2]}; asked for: {out}"
        yield Row("texts of a recording", met, ok=not (missing or found or out))
        settings, found, asked = 0, [], list[list[str]]()
        for path in chapters():
            with at(server, path) as visitor:
                names = [one.key for one in visitor.first.widgets if one.key.isidentifier()]
            query = {name: chance.choice(hostile.TEXTS) for name in names}
            settings += len(query)
            page = open_page(
                browser,
                f"{server.url}{path}{'&' if '?' in path else '?'}{urlencode(query)}",
                prepare=lambda page: asked.append(hostile.elsewhere(page)),
            )
            found += hostile.understood(page)
            page.close()
        out = [url for urls in asked for url in urls]
    met = f"{settings} settings; understood: {found[:2]}; asked for: {out[:2]}"
    yield Row("texts in addresses", met, ok=not (found or out))


def upload(server: Server, url: str, content: bytes) -> int:
    """Put a file there, as the frontend does; the status."""
    with urllib.request.urlopen(f"{server.url}/_stcore/health") as health:
        token = health.headers["set-cookie"].partition("=")[2].partition(";")[0]
    edge = "attack"
    body = (
        f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="a.json"\r\n'
        "Content-Type: application/json\r\n\r\n"
    ).encode()
    request = urllib.request.Request(
        server.url + url, body + content + f"\r\n--{edge}--\r\n".encode(), method="PUT"
    )
    request.add_header("Content-Type", f"multipart/form-data; boundary={edge}")
    request.add_header("Cookie", f"_streamlit_xsrf={token}")
    request.add_header("X-Xsrftoken", token)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 599  # the connection was closed while it was sent


def file_urls(visitor: Visitor, count: int) -> list[str]:
    """Where a visitor may put files."""
    message = BackMsg()
    message.file_urls_request.request_id = "1"
    message.file_urls_request.file_names.extend(f"{i}.json" for i in range(count))
    visitor.send(message)
    answer = visitor.wait_for("file_urls_response")
    return [one.upload_url for one in answer.file_urls_response.file_urls]
