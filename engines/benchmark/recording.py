"""What was measured, and where: one measurement, a whole recording, and its file.

A recording says of itself which machine made it, with which libraries, when and how. Its file is
JSON; recording.schema.json is its schema.
"""

from __future__ import annotations

import json
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, validators

from engines.benchmark.operations import ITEM_BYTES, OPERATIONS

FORMAT, VERSION = "backstep-recording", 1
MAX_BYTES = 1_000_000  # of a file: more than the most measurements that the schema allows need
SCHEMA = json.loads(Path(__file__).with_suffix(".schema.json").read_text(encoding="utf-8"))

# Why a file is refused.
REASONS = {
    "empty": "the file is empty",
    "too large": f"the file has more than {MAX_BYTES:,} bytes",
    "not text": "the file is not text in UTF-8",
    "not json": "the file is not JSON",
    "number": "the file holds a number that cannot be read",
    "name twice": "a name stands twice in the same object",
    "too deep": "lists or objects are nested too deeply",
    "not a recording": "the file is JSON, but it is not a recording made by Backstep",
    "version": "the recording was made by a newer version of Backstep",
    "schema": "a part of the recording is not what it must be",
    "time": "the recording names a time that does not exist",
    "order": "the times of a measurement are not in order",
    "twice": "two measurements answer the same question",
}


class Measurement(NamedTuple):
    """How long one operation took at one size. Times are seconds for one call.

    size: n, or for the training step the number of hidden units. threads: that the framework had on
    the CPU. transfer: whether bringing the data to the device and the result back is included.
    first: the first call at this size, which is not a sample. samples: how many were taken, each
    the mean of `calls` calls in a row; least to most: their least, quartiles and most.
    """

    operation: str
    framework: str
    device: str
    threads: int
    size: int
    precision: str
    transfer: bool
    first: float
    calls: int
    samples: int
    least: float
    low: float
    median: float
    high: float
    most: float

    @property
    def key(self) -> str:
        """All of it in one text, by which pictures of it are told apart quickly."""
        return repr(self)

    @property
    def gflops(self) -> float:
        """Billions of additions and multiplications a second, at the median."""
        return OPERATIONS[self.operation].flops(self.size) / self.median / 1e9

    @property
    def moved_bytes(self) -> int:
        """Bytes read and written by one call."""
        return OPERATIONS[self.operation].moved(self.size) * ITEM_BYTES[self.precision]

    @property
    def intensity(self) -> float:
        """Additions and multiplications for each byte that is read or written."""
        return OPERATIONS[self.operation].flops(self.size) / self.moved_bytes


class Gpu(NamedTuple):
    """A graphics processor. Memory 0 and an empty driver: the system does not say."""

    name: str
    memory_bytes: int
    driver: str


class Machine(NamedTuple):
    """What was measured on. name: what its owner calls it, such as "a laptop with two cores".

    processor: its model. cores: that programs can use at a time. system: such as "Linux 6.1".
    """

    name: str
    processor: str
    cores: int
    memory_bytes: int
    system: str
    gpus: tuple[Gpu, ...]

    def as_json(self) -> dict[str, Any]:
        """The machine as JSON has it."""
        return self._asdict() | {"gpus": [gpu._asdict() for gpu in self.gpus]}

    @classmethod
    def from_json(cls, read: dict[str, Any]) -> Machine:
        """Read what as_json has written."""
        return cls(**read | {"gpus": tuple(Gpu(**gpu) for gpu in read["gpus"])})


class Recording(NamedTuple):
    """Measurements, and how they came about. made: when, in UTC, as "2026-03-01T14:05:00Z".

    libraries: their versions by name. settings: of the run, such as the seconds it was given.
    """

    made: str
    machine: Machine
    libraries: dict[str, str]
    settings: dict[str, float | str]
    measurements: tuple[Measurement, ...]


class RecordingError(ValueError):
    """A file that is no recording. reason: a key of REASONS. sentence: the same in words.

    where: the part at fault, such as "measurements[3].median", or "". detail: more about it in
    English, or "". Both are one short line, whatever the file holds.
    """

    def __init__(self, reason: str, where: str = "", detail: str = "") -> None:
        """Keep what is known. Raises KeyError for a reason that is not one of REASONS."""
        self.sentence = REASONS[reason]
        self.reason, self.where, self.detail = reason, _line(where), _line(detail)
        super().__init__(reason, self.where, self.detail)

    def __str__(self) -> str:
        """The reason as a sentence, with where and detail if there are any."""
        more = ": ".join(part for part in (self.where, self.detail) if part)
        return f"{self.sentence} ({more})" if more else self.sentence


def to_text(recording: Recording) -> str:
    """The recording as JSON, with each measurement on a line of its own."""
    top = {
        "format": FORMAT,
        "version": VERSION,
        "made": recording.made,
        "machine": recording.machine.as_json(),
        "libraries": recording.libraries,
        "settings": recording.settings,
    }
    head = json.dumps(top, indent=2, ensure_ascii=False, allow_nan=False).removesuffix("\n}")
    lines = (json.dumps(one._asdict(), allow_nan=False) for one in recording.measurements)
    measurements = ",\n    ".join(lines)
    return f'{head},\n  "measurements": [\n    {measurements}\n  ]\n}}\n'


def from_text(text: str | bytes) -> Recording:
    """Read what to_text has written. Raises RecordingError for anything else."""
    try:
        read = _parsed(text)
        _check(read)
    except RecursionError:
        raise RecordingError("too deep") from None
    return Recording(
        made=read["made"],
        machine=Machine.from_json(read["machine"]),
        libraries=read["libraries"],
        settings=read["settings"],
        measurements=tuple(Measurement(**one) for one in read["measurements"]),
    )


def _parsed(text: str | bytes) -> Any:
    """The JSON in a text, in which no name may stand twice and every number be a number."""
    try:
        content = text.encode() if isinstance(text, str) else text
        if len(content) > MAX_BYTES:
            raise RecordingError("too large", detail=f"it has {len(content):,}")
        decoded = content.decode("utf-8-sig")  # some editors put a mark of their own in front
        if not decoded.strip():
            raise RecordingError("empty")
        return json.loads(decoded, object_pairs_hook=_object, parse_constant=_no_number)
    except RecordingError:
        raise
    except UnicodeError:
        raise RecordingError("not text") from None
    except json.JSONDecodeError as error:
        raise RecordingError("not json", detail=str(error)) from None
    except ValueError as error:  # Python reads no number of thousands of digits
        raise RecordingError("number", detail=str(error)) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, where Python alone would keep the last of two values of a name."""
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise RecordingError("name twice", detail=repr(name))
        made[name] = value
    return made


def _no_number(name: str) -> None:
    """Refuse NaN, Infinity and -Infinity, which Python reads and JSON does not have."""
    raise RecordingError("number", detail=name)


# For the standard 4.0 is an integer, too. It would be a float in a Measurement.
_Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: type(value) is int
    ),
)


def _check(read: Any) -> None:
    """Raise RecordingError unless this is a recording: by the schema, and what it cannot say."""
    if not isinstance(read, dict) or read.get("format") != FORMAT:
        raise RecordingError("not a recording")
    version = read.get("version")
    if type(version) is int and version > VERSION:
        raise RecordingError("version", detail=f"{version} instead of {VERSION}")
    error = next(_Validator(SCHEMA).iter_errors(read), None)
    if error:
        raise RecordingError("schema", error.json_path.lstrip("$."), error.message)
    try:
        datetime.fromisoformat(read["made"])
    except ValueError as impossible:
        raise RecordingError("time", "made", str(impossible)) from None
    asked: dict[tuple[object, ...], int] = {}
    for k, one in enumerate(Measurement(**fields) for fields in read["measurements"]):
        for former, name in pairwise(("least", "low", "median", "high", "most")):
            if getattr(one, former) > getattr(one, name):
                detail = f"less than {former}"
                raise RecordingError("order", f"measurements[{k}].{name}", detail)
        same = asked.setdefault(one[:7], k)
        if same != k:
            raise RecordingError("twice", f"measurements[{k}]", f"as measurements[{same}]")


def _line(text: str) -> str:
    """At most 200 characters of a text, its beginning and its end, all of them visible."""
    short = text if len(text) <= 200 else f"{text[:99]}…{text[-100:]}"
    return "".join(letter if letter.isprintable() else " " for letter in short)
