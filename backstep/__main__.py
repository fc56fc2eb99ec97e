"""`python -m backstep play my_training.py`: records a training, shows it on this machine only."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backstep import terminal
from backstep.server import is_taken, serve
from engines.own_training.recording import MOST, Recording

OPTIONS: dict[str, dict[str, Any]] = {
    "--steps": {"type": int, "default": MOST, "help": f"end it after so many ({MOST})"},
    "--function": {"default": "", "help": "what to call, where the file itself trains nothing"},
    "--port": {"type": int, "default": 0, "help": "of the page; a free one if not said"},
    "--out": {"type": Path, "help": "write one HTML file that plays offline, and show nothing"},
    "--no-browser": {"action": "store_true", "help": "open no browser"},
}
USAGE = """
A step is one pass of the loop that calls backward() and step(). Where that is not found, mark it:
for i in backstep.steps(range(100)):, with import backstep above. What stands behind -- is given to
the program.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says. Returns the exit status: 1 where nothing could be shown."""
    asked, given = _parsed(sys.argv[1:] if arguments is None else arguments)
    os.environ.setdefault("MPLBACKEND", "Agg")  # a window of the program's would wait to be closed
    recorded = _recorded(asked, given)
    if recorded is None:
        return 1
    if recorded.failure:
        terminal.tell_failure(recorded.failure)
    terminal.say(terminal.summary(recorded))
    if recorded.title != asked.file.name:
        terminal.say(f"The loop that trains is in {recorded.title}: that is the file shown.")
    if not recorded.passes:
        terminal.say("It ended before its first step, so there is nothing to show.")
        return 1
    if asked.out:
        from backstep.offline import page  # noqa: PLC0415

        asked.out.write_text(page(recorded), encoding="utf-8")
        terminal.say(f"{asked.out} plays without a server and without a network.")
        return 0
    return serve(recorded, port=asked.port, browser=not asked.no_browser)


def _recorded(asked: argparse.Namespace, given: Sequence[str]) -> Recording | None:
    terminal.say(
        f"Recording {asked.file.name}, {asked.steps} steps at most; Ctrl+C ends it sooner."
    )
    try:
        from engines.own_training.run import RefusedError, record_file  # noqa: PLC0415
    except ModuleNotFoundError as error:
        terminal.say(f"{error.name} is not installed for {sys.executable}.")
        return None
    with terminal.progress(asked.steps) as told:
        try:
            return record_file(
                asked.file.absolute(),
                steps=asked.steps,
                function=asked.function,
                arguments=given,
                told=told,
            )
        except RefusedError as refused:
            said = str(refused)
        except Exception:  # an error of the program's is part of the recording
            traceback.print_exc()
            said = "There the recorder itself has failed; your program may be right."
    terminal.say(said)
    return None


def _parsed(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    end = arguments.index("--") if "--" in arguments else len(arguments)
    own, given = list(arguments[:end]), list(arguments[end + 1 :])
    parser = argparse.ArgumentParser(prog="python -m backstep", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="play")
    play = commands.add_parser("play", help="record a training and show it", epilog=USAGE)
    play.add_argument("file", type=Path, help="the program")
    for name, how in OPTIONS.items():
        play.add_argument(name, **how)
    asked = parser.parse_args(own)
    if asked.steps < 1:
        parser.error("--steps: there has to be one at least")
    if not 0 <= asked.port < 65536 or (asked.port and is_taken(asked.port)):
        parser.error("--port: it is in use, or is none; without it a free one is taken")
    if asked.out and not asked.out.absolute().parent.is_dir():
        parser.error(f"--out: there is no folder {asked.out.absolute().parent}")
    return asked, given


if __name__ == "__main__":
    sys.exit(main())
