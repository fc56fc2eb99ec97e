"""Attack a fresh server on this machine, and see what gives way: `python -m tests.attack`.

One line for each attack: what it met, and whether the server held. All of it stays on 127.0.0.1, is
bounded in count and time (some five minutes), and ends what it starts. Two things are asked each
time: whether a witness, who visits meanwhile as anybody would, is answered; and whether afterwards
nothing is left of it.
"""

from __future__ import annotations

import argparse
import logging
import math
import random
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

import numpy as np
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

from tests.support.room import connected
from tests.support.server import REPOSITORY, Run, Server, Visitor, chapters, running

LONG_RUN = "/static_graph_and_sessions?chapter=updates&all_steps=true"  # 80,000 steps
MEASUREMENT = "/static_graph_and_sessions?chapter=paid_once"
QUIET = 15.0  # seconds in which what an attack has started must have ended

WRONG: list[dict[str, Any]] = [
    {"double_value": math.nan},
    {"double_value": math.inf},
    {"double_value": -1e308},
    {"string_value": "x" * 200_000},
    {"int_value": 2**62},
    {"bool_value": True},
    {"json_value": "{"},
    {"json_value": "[" * 50_000},
    {"bytes_value": b"\xff\x00"},
    {"trigger_value": True},
]
HOSTILE = (
    "<script>alert(1)</script> [a](javascript:alert(1)) ![b](http://127.0.0.1:9/x) :material/x: `"
)


class Row(NamedTuple):
    """One line of the table."""

    what: str
    met: str
    held: bool


def at(server: Server, path: str) -> Visitor:
    """Visit an address as the table writes it."""
    page, _, query = path.partition("?")
    return Visitor(server.url, page, query)


def measure(visitor: Visitor) -> None:
    """Ask for the measurement, at an address that has it."""
    guess = visitor.first.widget("guess of first calls")
    button = visitor.rerun({guess.key: [guess.options[0]]}).widget("measure first calls")
    visitor.ask_with([WidgetState(id=button.id, trigger_value=True)])


# ---- The witness


@contextmanager
def witness(server: Server, path: str = "/manual_gradients") -> Iterator[list[float]]:
    """Somebody who runs a page again and again: seconds of each answer, inf for a broken one."""
    answers: list[float] = []
    over = Event()

    def look() -> None:
        while not over.is_set():
            try:
                with at(server, path) as visitor:
                    while not over.wait(0.2):
                        run = visitor.rerun()
                        answers.append(math.inf if run.errors else run.seconds)
            except Exception:
                answers.append(math.inf)
                over.wait(1)

    thread = Thread(target=look)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()


def answered(answers: list[float]) -> str:
    """What the witness met."""
    p50, p95 = np.percentile(answers or [math.inf], [50, 95])
    return f"witness p50 {p50:.2f}, p95 {p95:.2f} s"


def fine(answers: list[float], p95: float = 3.0) -> bool:
    """Whether the witness was answered as the design promises to a class."""
    return bool(answers) and float(np.percentile(answers, 95)) < p95


def left(server: Server) -> tuple[int, int, float]:
    """Threads and children of the server, and megabytes."""
    process = psutil.Process(server.pid)
    return (
        process.num_threads(),
        len(process.children(recursive=True)),
        process.memory_info().rss / 1e6,
    )


def quiet_again(server: Server, before: tuple[int, int, float]) -> tuple[bool, str]:
    """Whether what an attack started ends, and what is there when it has or has not."""
    deadline = time.monotonic() + QUIET
    while True:
        threads, children, size = left(server)
        gone = threads <= before[0] + 8 and children <= before[1]
        if gone or time.monotonic() > deadline:
            said = f"threads {before[0]} -> {threads}, children {children}"
            return gone, f"{said}, memory {size - before[2]:+.0f} MB"
        time.sleep(0.5)


# ---- The attacks


def states(server: Server, chance: random.Random) -> Iterator[Row]:
    """For each control of each chapter a state that no browser sends, then the page again."""
    sent, spoiled, kept = 0, 0, []
    for path in chapters():
        visitor = at(server, path)
        whole = len(visitor.first.widgets)
        for widget in visitor.first.widgets:
            wrong = chance.choice(WRONG)
            visitor.ask_with([WidgetState(id=widget.id, **wrong)])
            spoiled += bool(visitor.answer().errors)
            sent += 1
            after = visitor.rerun()
            if after.errors or not after.widgets:
                kept.append(f"{path} {widget.key} {next(iter(wrong))}")
                visitor.close()
                visitor = at(server, path)
        visitor.ask_with(WidgetState(id=f"$$ID-{i}-none", int_value=i) for i in range(5000))
        kept += [path] * (abs(len(visitor.answer().widgets) - whole) > 3)
        visitor.close()
    met = f"{sent} states: {spoiled} spoiled their run, {len(kept)} the next: {kept[:2]}"
    yield Row("states that no browser sends", met, not kept)


def flood(server: Server, chance: random.Random) -> Iterator[Row]:
    """One connection asks for 500 runs, and one for what only a developer asks for."""
    before = left(server)
    with witness(server) as answers:
        visitor, most = at(server, "/dynamic_graph"), 0
        for _ in range(500):
            visitor.ask()
            most = max(most, left(server)[0])
        time.sleep(3)
        visitor.vanish()
    ended, said = quiet_again(server, before)
    met = f"{answered(answers)}; at most {most} threads; {said}"
    yield Row("500 runs at once", met, fine(answers) and ended)
    with at(server, "/dynamic_graph") as visitor:
        known = visitor.rerun().seconds
        for name in ("clear_cache", "load_git_info", "set_run_on_save"):
            visitor.send(BackMsg(**{name: True}))
        run = visitor.rerun()
    kinds = {message.WhichOneof("type") for message in run.messages}
    held = "git_info_changed" not in kinds and run.seconds < max(0.5, 5 * known)
    yield Row("messages of a developer", f"a run {known:.2f} -> {run.seconds:.2f} s", held)


def deaf(server: Server, chance: random.Random) -> Iterator[Row]:
    """Twenty ask again and again, and never read what comes."""
    before = left(server)
    with witness(server) as answers, ExitStack() as stack:
        visitors = [at(server, "/dynamic_graph") for _ in range(20)]
        for visitor in visitors:
            stack.callback(visitor.vanish)
        most = 0.0
        for _ in range(25):
            for visitor in visitors:
                with suppress(Exception):  # whoever does not read may be thrown out
                    visitor.ask()
            most = max(most, left(server)[2])
            time.sleep(0.3)
    ended, said = quiet_again(server, before)
    met = f"{answered(answers)}; at most {most - before[2]:+.0f} MB; {said}"
    yield Row("20 who never read", met, fine(answers) and ended and most - before[2] < 300)


def stampede(server: Server, chance: random.Random) -> Iterator[Row]:
    """Forty at once start the long run and the measurement, and leave in the middle."""
    before = left(server)
    with witness(server) as answers, ExitStack() as stack:
        with ThreadPoolExecutor(40) as pool:
            visitors = [*pool.map(lambda _: at(server, MEASUREMENT), range(40))]
        for visitor in visitors:
            stack.callback(visitor.vanish)
        for visitor in visitors[:20]:
            measure(visitor)
        for visitor in visitors[20:]:
            visitor.query = LONG_RUN.partition("?")[2]
            visitor.ask()
        most = 0
        for _ in range(30):
            time.sleep(0.5)
            most = max(most, left(server)[1])
    ended, said = quiet_again(server, before)
    met = f"{answered(answers)}; at most {most} children; {said}"
    yield Row("40 start what takes longest", met, fine(answers) and ended and most <= 6)


def cut_off(server: Server, chance: random.Random) -> Iterator[Row]:
    """A hundred visits end in the middle of a run, on every page."""
    paths = [*chapters(), LONG_RUN]
    for path in chapters():
        at(server, path).close()  # what is loaded once takes others' time, too

    def leave(i: int) -> None:
        page, _, query = paths[i % len(paths)].partition("?")
        visitor = Visitor(server.url, page, query, stays=False)
        time.sleep(chance.uniform(0, 0.5))
        visitor.vanish()

    before, log = left(server), len(server.log.read_text())
    with witness(server) as answers, ThreadPoolExecutor(10) as pool:
        list(pool.map(leave, range(100)))
    ended, said = quiet_again(server, before)
    faults = server.log.read_text()[log:].count("Uncaught")
    met = f"{answered(answers)}; {faults} faults in the log; {said}"
    yield Row("100 visits cut off", met, fine(answers) and ended and not faults)


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
    yield Row("40 files of 1 MB", met, taken <= 10 and stranger >= 400 and large >= 400)


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


def connections(server: Server, chance: random.Random) -> Iterator[Row]:
    """Three hundred connections that ask for nothing, and one more visitor."""
    address = server.url.replace("http", "ws") + "/_stcore/stream"
    before = left(server)
    with ExitStack() as stack:
        opened, refused = 0, 0
        for _ in range(300):
            try:
                stack.enter_context(connect(address, proxy=None, close_timeout=1))
                opened += 1
            except InvalidStatus:
                refused += 1
        try:
            with urllib.request.urlopen(server.url + "/", timeout=10) as page:
                told, said = page.status, b""
        except urllib.error.HTTPError as full:
            told, said = full.code, full.read()
    ended, after = quiet_again(server, before)
    met = f"{opened} opened, {refused} refused; a page then: {told}; {after}"
    yield Row("300 idle connections", met, b"is full" in said and ended)


def rooms(server: Server, chance: random.Random) -> Iterator[Row]:
    """A class follows its lecturer, while hundreds guess codes, shout, and open rooms."""

    def shout(i: int) -> str:
        said = ("[" * 50_000, "x" * 120_000, '{"join": "AAAAA"}', '{"open": true}', '{"lead": 1}')
        told = ""
        with suppress(WebSocketException, TimeoutError, OSError), connected(server.url) as one:
            for text in (said[i % len(said)],) * 40:
                one.say_text(text)
            told = str(one.hear("refused")["refused"])
        return told

    with connected(server.url) as lecturer, connected(server.url) as member:
        lecturer.say(open=True)
        member.say(join=lecturer.hear("leads", "here")["leads"])
        lecturer.hears(here=1)
        taken = []
        with witness(server) as answers, ThreadPoolExecutor(60) as pool:
            shouting = [pool.submit(shout, i) for i in range(400)]
            while not all(one.done() for one in shouting):
                began = time.monotonic()
                lecturer.say(at={"step": len(taken), "moment": None})
                member.hears(at={"step": len(taken), "moment": None})
                taken.append(time.monotonic() - began)
                time.sleep(0.1)
        told = sorted({one.result() for one in shouting} - {""})
        p95 = float(np.percentile(taken, 95))
        held = fine(answers) and p95 < 1
        met = f"steps told p95 {p95:.2f} s; {answered(answers)}; refused as {', '.join(told)}"
        yield Row("400 shout and guess in rooms", met, held)


def interleaved(server: Server, chance: random.Random) -> Iterator[Row]:
    """Two visitors with other settings, in turn on one server: each gets what they get alone."""
    walks = [
        ["chapter=rate&of_limit=0.5", "chapter=own_data&example=years", "chapter=pulls&point=3"],
        [
            "chapter=rate&of_limit=0.9",
            "chapter=own_data&example=noisy_line",
            "chapter=pulls&point=9",
        ],
    ]
    alone = []
    for walk in walks:
        with running(cwd=Path(server.cwd)) as fresh:
            alone.append([numbers(at(fresh, f"/manual_gradients?{query}").first) for query in walk])
    with running(cwd=Path(server.cwd)) as fresh, ThreadPoolExecutor(2) as pool:
        visits = [
            partial(at, fresh, f"/manual_gradients?{q}")
            for pair in zip(*walks, strict=True)
            for q in pair
        ]
        together = [numbers(one.first) for one in pool.map(lambda visit: visit(), visits)]
    wrong = sum(together[i::2][k] != alone[i][k] for i in (0, 1) for k in range(3))
    differ = sum(a != b for a, b in zip(*alone, strict=True))
    met = f"{wrong} of 6 pages differ from those alone; {differ} of 3 between the two"
    yield Row("two visitors in turn", met, wrong == 0 and differ == 3)


def numbers(run: Run) -> list[str]:
    """All that a run has sent to be seen: charts with their data, texts, what the player has."""
    elements = (m.delta.new_element for m in run.messages if m.delta.HasField("new_element"))
    texts = [one.bidi_component.json or one.markdown.body or one.html.body for one in elements] + [
        table.data.data.hex()
        for m in run.messages
        for table in m.delta.new_element.vega_lite_chart.datasets
    ]
    return [text for text in texts if text]


def killed(server: Server, chance: random.Random) -> Iterator[Row]:
    """What measures is killed from outside, worker by worker."""
    before = left(server)
    with at(server, MEASUREMENT) as visitor:
        measure(visitor)
        began, worker = time.monotonic(), None
        while worker is None and time.monotonic() - began < 30:
            found = psutil.Process(server.pid).children(recursive=True)
            worker = next((one for one in found if "spawn_main" in " ".join(one.cmdline())), None)
            time.sleep(0.1)
        began = time.monotonic()
        if worker:
            worker.kill()
        with suppress(TimeoutError):
            visitor.answer()
        taken = time.monotonic() - began
        run = visitor.rerun()
    ended, said = quiet_again(server, before)
    met = f"ended after {taken:.1f} s; {said}"
    yield Row(
        "a worker killed", met, worker is not None and taken < 15 and ended and not run.errors
    )


def disk_full(server: Server, chance: random.Random) -> Iterator[Row]:
    """From one moment on nothing can be written, neither the log nor what a measurement needs."""
    psutil.Process(server.pid).rlimit(psutil.RLIMIT_FSIZE, (0, 0))
    pages = [at(server, path) for path in ("/", "/manual_gradients", "/dynamic_graph")]
    with at(server, MEASUREMENT) as visitor:
        visitor.ask_with([WidgetState(id=visitor.first.widget("contents").id, json_value="{")])
        visitor.answer()  # which is to be written to the log
        visitor.rerun()
        measure(visitor)
        run = visitor.answer()
    told = any("ended before it was done" in text for text in alerts(run))
    broken = [one for one in (*(page.first for page in pages), run) if one.errors]
    for page in pages:
        page.close()
    met = f"{len(broken)} of {len(pages) + 1} runs broken; the measurement says so: {told}"
    yield Row("a full disk", met, not broken and told)


def alerts(run: Run) -> list[str]:
    """What a run has warned of."""
    elements = (m.delta.new_element for m in run.messages if m.delta.HasField("new_element"))
    return [one.alert.body for one in elements if one.HasField("alert")]


ATTACKS: dict[str, Callable[[Server, random.Random], Iterator[Row]]] = {
    attack.__name__: attack
    for attack in (
        states,
        flood,
        deaf,
        stampede,
        cut_off,
        uploads,
        connections,
        rooms,
        interleaved,
        killed,
        disk_full,
    )
}


def main() -> int:
    """Print the table. Returns 1 if something gave way."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--only", choices=ATTACKS, action="append", help="may be repeated")
    parser.add_argument("--seed", type=int, default=0, help="of what is chosen at random")
    parser.add_argument("--of", type=Path, default=REPOSITORY, help="the folder of another version")
    asked = parser.parse_args()
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # to be put out is what is tried
    gave_way = False
    for name in asked.only or ATTACKS:
        try:
            with running(cwd=asked.of) as server:
                for path in ("/manual_gradients", "/dynamic_graph", MEASUREMENT, LONG_RUN[:44]):
                    at(server, path).close()  # what it loads once is not the attack's doing
                for row in ATTACKS[name](server, random.Random(asked.seed)):
                    mark = "held" if row.held else "GAVE WAY"
                    print(f"{row.what:<30} {row.met:<110} {mark}", flush=True)
                    gave_way |= not row.held
        except Exception as error:
            print(f"{name:<30} failed: {type(error).__name__}: {error}", flush=True)
            gave_way = True
    return int(gave_way)


if __name__ == "__main__":
    sys.exit(main())
