"""A recording comes back from its file unchanged, and any other file is refused with its reason."""

import json
import math
import pickle
import random
from copy import deepcopy
from itertools import pairwise

import pytest
from jsonschema import Draft202012Validator

from engines.benchmark.operations import ITEM_BYTES, OPERATIONS
from engines.benchmark.recording import (
    MAX_BYTES,
    REASONS,
    SCHEMA,
    Gpu,
    Machine,
    Measurement,
    Recording,
    RecordingError,
    from_text,
    to_text,
)

TIMES = ("least", "low", "median", "high", "most")
ONE = Measurement(
    operation="square",
    framework="torch",
    device="cpu",
    threads=2,
    size=1024,
    precision="float32",
    transfer=False,
    first=0.25,
    calls=3,
    samples=40,
    least=0.010,
    low=0.011,
    median=0.012,
    high=0.013,
    most=0.1,
)
GOOD = Recording(
    made="2026-03-01T14:05:00Z",
    machine=Machine(
        name="a workstation under a desk",
        processor="A processor @ 3.2 GHz — 16 «cores»",
        cores=16,
        memory_bytes=2**36,
        system="Linux 6.1",
        gpus=(Gpu("A card", 2**34, "570.1"), Gpu("Another", 0, "")),
    ),
    libraries={"python": "3.12.4", "numpy": "2.4.6"},
    settings={"seconds": 20, "block_seconds": 0.02, "note": "on mains"},
    measurements=(ONE, ONE._replace(size=2048), ONE._replace(device="cuda", transfer=True)),
)
MANY = 2000  # measurements, at most


def as_json():
    return json.loads(to_text(GOOD))


def changed(path, value):
    """The good file, with another value at a path such as ("machine", "cores")."""
    content = as_json()
    inner = content
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return json.dumps(content)


def without(path):
    content = as_json()
    inner = content
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return json.dumps(content)


def refusal(text):
    with pytest.raises(RecordingError) as refused:
        from_text(text)
    return refused.value


# What is written is read


def test_a_recording_comes_back_unchanged():
    assert from_text(to_text(GOOD)) == GOOD


def test_bytes_are_read_as_well_and_with_the_mark_some_editors_put_in_front():
    assert from_text(to_text(GOOD).encode()) == GOOD
    assert from_text(to_text(GOOD).encode("utf-8-sig")) == GOOD


def test_each_measurement_is_a_line_that_names_its_fields():
    text = to_text(GOOD)
    lines = [line.strip(" ,") for line in text.splitlines() if '"median"' in line]
    assert [json.loads(line) for line in lines] == [one._asdict() for one in GOOD.measurements]
    assert max(map(len, text.splitlines())) < 320
    assert (as_json()["format"], as_json()["version"]) == ("backstep-recording", 1)


def test_a_letter_of_any_language_stands_in_the_file_as_it_is():
    recording = GOOD._replace(machine=GOOD.machine._replace(name="两个核的笔记本"))
    assert "两个核的笔记本" in to_text(recording)
    assert from_text(to_text(recording)) == recording


@pytest.mark.parametrize("seconds", [1e-10, 1.2345678901234567e-5, 1e5, 3])
@pytest.mark.parametrize(("number", "size"), [(1, 1), (4096, 2**40)])
def test_numbers_at_their_bounds_come_back_exactly(seconds, number, size):
    times = dict.fromkeys(("first", *TIMES), seconds)
    measurement = ONE._replace(threads=number, size=size, calls=1, samples=10**9, **times)
    machine = GOOD.machine._replace(cores=number, memory_bytes=0, gpus=())
    recording = Recording("2099-12-31T23:59:59+00:00", machine, {}, {}, (measurement,))
    assert from_text(to_text(recording)) == recording
    assert math.isfinite(measurement.gflops)


def test_the_longest_recording_that_the_schema_allows_fits_into_a_file():
    text = "\U0001f600" * 200  # four bytes each
    names = {text[:-2] + f"{k:02}": text for k in range(40)}
    times = dict.fromkeys(("first", *TIMES), 1.2345678901234567e-05)
    longest = {
        "operation": max(OPERATIONS, key=len),
        "framework": "tensorflow",
        "device": "cuda",
        "threads": 4096,
        "calls": 10**9,
        "samples": 10**9,
        **times,
    }
    measurements = tuple(ONE._replace(size=2**40 - k, **longest) for k in range(MANY))
    machine = Machine(text, text, 4096, 2**50, text, (Gpu(text, 2**50, text),) * 16)
    recording = Recording("2026-03-01T14:05:00+00:00", machine, names, names, measurements)
    assert len(to_text(recording).encode()) <= MAX_BYTES
    assert from_text(to_text(recording)) == recording


def test_a_number_that_is_none_cannot_be_written():
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_text(GOOD._replace(measurements=(ONE._replace(first=math.nan),)))


# What is not a recording is refused


@pytest.mark.parametrize(
    ("text", "reason", "detail"),
    [
        ("", "empty", ""),
        (b"\xef\xbb\xbf \n", "empty", ""),
        (b" " * (MAX_BYTES + 1), "too large", "it has 1,000,001"),
        ("é" * (MAX_BYTES // 2 + 1), "too large", "it has 1,000,002"),
        (to_text(GOOD).encode("utf-16"), "not text", ""),
        ("\ud800", "not text", ""),
        (b"\x89PNG\r\n\x1a\n", "not text", ""),
        ("size,seconds\n4,0.1\n", "not json", "line 1 column 1"),
        (to_text(GOOD)[:-4], "not json", "Expecting"),
        (to_text(GOOD) + "{}", "not json", "Extra data"),
        ('{"a": "\n"}', "not json", "control character"),
        ('{"first": NaN}', "number", "NaN"),
        ('{"first": -Infinity}', "number", "-Infinity"),
        ('{"size": ' + "9" * 5000 + "}", "number", "digits"),
        ('{"format": "a", "format": "b"}', "name twice", "'format'"),
        (to_text(GOOD).replace('"low"', '"least"', 1), "name twice", "'least'"),
        ("[" * 100_000, "too deep", ""),
        ("null", "not a recording", ""),
        ("1e999", "not a recording", ""),
        ('["backstep-recording"]', "not a recording", ""),
        ("{}", "not a recording", ""),
        (changed(["format"], "vega-lite"), "not a recording", ""),
        (changed(["version"], 2), "version", "2 instead of 1"),
        (json.dumps({"format": "backstep-recording", "version": 7}), "version", "7"),
    ],
    ids=lambda value: value if isinstance(value, str) and value in REASONS else "",
)
def test_what_is_not_the_json_of_a_recording_is_refused(text, reason, detail):
    refused = refusal(text)
    assert (refused.reason, refused.where) == (reason, "")
    assert detail in refused.detail


def test_a_file_that_is_too_large_is_not_even_parsed(monkeypatch):
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("it was parsed"))
    assert refusal(b"1" * (MAX_BYTES + 1)).reason == "too large"


M = ("measurements", 1)


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (["version"], 0, "version"),
        (["version"], True, "version"),
        (["version"], "2", "version"),
        (["made"], "yesterday", "made"),
        (["made"], "0001-01-01T00:00:00Z", "made"),
        (["made"], "2026-03-01T14:05:00", "made"),
        (["made"], "2026-03-01T14:05:00+02:00", "made"),
        (["made"], "2026-03-01T14:05:00Z\n", "made"),
        (["made"], 1772373900, "made"),
        (["author"], "me", ""),
        (["machine"], [], "machine"),
        (["machine", "host"], "server-7", "machine"),
        (["machine", "name"], "", "machine.name"),
        (["machine", "name"], "x" * 201, "machine.name"),
        (["machine", "name"], "two\nlines", "machine.name"),
        (["machine", "name"], "ends in a break\n", "machine.name"),
        (["machine", "processor"], "a bell \a", "machine.processor"),
        (["machine", "processor"], "\x85", "machine.processor"),
        (["machine", "system"], "half a letter \ud800", "machine.system"),
        (["machine", "system"], "turned \u202e around", "machine.system"),
        (["machine", "cores"], 0, "machine.cores"),
        (["machine", "cores"], 4097, "machine.cores"),
        (["machine", "cores"], 2.5, "machine.cores"),
        (["machine", "memory_bytes"], -1, "machine.memory_bytes"),
        (["machine", "memory_bytes"], 10**400, "machine.memory_bytes"),
        (["machine", "gpus"], None, "machine.gpus"),
        (["machine", "gpus"], [{"name": "A card"}], "machine.gpus[0]"),
        (["machine", "gpus"], 17 * [GOOD.machine.gpus[0]._asdict()], "machine.gpus"),
        (["libraries", "numpy"], 2.4, "libraries.numpy"),
        (["libraries", ""], "1.0", "libraries"),
        (["libraries", "a\nb"], "1.0", "libraries"),
        (["libraries"], {str(k): "1.0" for k in range(41)}, "libraries"),
        (["settings", "seconds"], None, "settings.seconds"),
        (["settings", "seconds"], [20], "settings.seconds"),
        (["settings", "seconds"], True, "settings.seconds"),
        (["settings", "seconds"], 10**400, "settings.seconds"),
        (["settings", "note"], "\0", "settings.note"),
        (["measurements"], [], "measurements"),
        (["measurements"], [{}] * (MANY + 1), "measurements"),
        ([*M], 3, "measurements[1]"),
        ([*M, "mean"], 0.1, "measurements[1]"),
        ([*M, "operation"], "convolution", "measurements[1].operation"),
        ([*M, "operation"], {"deep": [[[]]]}, "measurements[1].operation"),
        ([*M, "framework"], "jax", "measurements[1].framework"),
        ([*M, "device"], "gpu", "measurements[1].device"),
        ([*M, "threads"], 0, "measurements[1].threads"),
        ([*M, "threads"], True, "measurements[1].threads"),
        ([*M, "size"], 0, "measurements[1].size"),
        ([*M, "size"], 2**40 + 1, "measurements[1].size"),
        ([*M, "size"], 2048.0, "measurements[1].size"),
        ([*M, "size"], "2048", "measurements[1].size"),
        ([*M, "precision"], "float8", "measurements[1].precision"),
        ([*M, "transfer"], 0, "measurements[1].transfer"),
        ([*M, "calls"], 0, "measurements[1].calls"),
        ([*M, "samples"], 10**9 + 1, "measurements[1].samples"),
        ([*M, "first"], 0, "measurements[1].first"),
        ([*M, "least"], -0.01, "measurements[1].least"),
        ([*M, "median"], "0.012", "measurements[1].median"),
        ([*M, "median"], None, "measurements[1].median"),
        ([*M, "most"], 1.1e5, "measurements[1].most"),
    ],
)
def test_a_value_that_the_schema_does_not_allow_is_refused_and_named(path, value, where):
    refused = refusal(changed(path, value))
    assert (refused.reason, refused.where) == ("schema", where)
    assert 0 < len(refused.detail) <= 200
    assert refused.detail.isprintable()


@pytest.mark.parametrize(
    ("path", "where"),
    [
        (["version"], ""),
        *[([name], "") for name in Recording._fields],
        *[(["machine", name], "machine") for name in Machine._fields],
        *[(["machine", "gpus", 1, name], "machine.gpus[1]") for name in Gpu._fields],
        *[([*M, name], "measurements[1]") for name in Measurement._fields],
    ],
)
def test_nothing_may_be_missing(path, where):
    refused = refusal(without(path))
    assert (refused.reason, refused.where) == ("schema", where)
    assert refused.detail == f"'{path[-1]}' is a required property"


def test_infinity_written_as_a_long_number_is_refused():
    refused = refusal(to_text(GOOD).replace('"most": 0.1', '"most": 1e999'))
    assert (refused.reason, refused.where) == ("schema", "measurements[0].most")


@pytest.mark.parametrize("made", ["2026-02-30T12:00:00Z", "2026-01-01T25:00:00Z"])
def test_a_time_that_does_not_exist_is_refused(made):
    refused = refusal(changed(["made"], made))
    assert (refused.reason, refused.where) == ("time", "made")


@pytest.mark.parametrize(("former", "name"), list(pairwise(TIMES)))
def test_quartiles_out_of_order_are_refused(former, name):
    below = 0.999 * getattr(ONE, former)
    refused = refusal(changed([*M, name], below))
    assert (refused.reason, refused.where) == ("order", f"measurements[1].{name}")
    assert refused.detail == f"less than {former}"


def test_samples_that_all_took_the_same_are_in_order():
    recording = GOOD._replace(measurements=(ONE._replace(**dict.fromkeys(TIMES, 0.01)),))
    assert from_text(to_text(recording)) == recording


def test_the_same_question_twice_is_refused_even_with_another_answer():
    again = ONE._replace(first=0.5, calls=7, most=0.2)
    refused = refusal(to_text(GOOD._replace(measurements=(*GOOD.measurements, again))))
    assert (refused.reason, refused.where) == ("twice", "measurements[3]")
    assert refused.detail == "as measurements[0]"


@pytest.mark.parametrize(
    "other",
    [
        {"operation": "copy"},
        {"framework": "numpy"},
        {"device": "mps"},
        {"threads": 1},
        {"size": 1},
        {"precision": "float64"},
        {"transfer": True},
    ],
    ids=str,
)
def test_measurements_that_differ_in_one_thing_are_different_questions(other):
    recording = GOOD._replace(measurements=(ONE, ONE._replace(**other)))
    assert from_text(to_text(recording)) == recording


# What a refusal says


def test_a_refusal_is_a_sentence_for_the_command_line():
    refused = refusal(changed([*M, "median"], -1))
    assert isinstance(refused, ValueError)
    assert str(refused) == (
        "a part of the recording is not what it must be"
        " (measurements[1].median: -1 is less than the minimum of 1e-10)"
    )
    assert str(refusal("")) == "the file is empty"
    assert str(pickle.loads(pickle.dumps(refused))) == str(refused)


def test_what_a_refusal_quotes_is_one_short_visible_line():
    long = refusal(changed(["machine", "name"], "x" * 900_000))
    assert len(long.detail) == 200
    assert long.detail.startswith("'xxx")
    assert long.detail.endswith("is too long")
    deep = refusal(changed(["settings", "a\u202eb\n" * 100], None))
    assert len(deep.where) <= 200
    assert deep.where.isprintable()


def test_a_reason_that_nobody_knows_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        RecordingError("bad luck")


@pytest.mark.parametrize("depth", [50, 300, 900, 1000, 5000])
def test_a_deep_value_is_refused_wherever_it_becomes_too_deep(depth):
    text = changed(["settings", "note"], 0).replace(
        '"note": 0', f'"note": {"[" * depth}{"]" * depth}'
    )
    assert refusal(text).reason in {"schema", "too deep"}


# The schema


def test_the_schema_is_one_and_knows_what_the_program_knows():
    Draft202012Validator.check_schema(SCHEMA)
    fields = SCHEMA["properties"]["measurements"]["items"]["properties"]
    assert fields["operation"]["enum"] == list(OPERATIONS)
    assert fields["precision"]["enum"] == list(ITEM_BYTES)
    assert SCHEMA["properties"]["measurements"]["maxItems"] == MANY
    assert tuple(fields) == Measurement._fields
    assert tuple(SCHEMA["properties"]["machine"]["properties"]) == Machine._fields


def test_everything_in_the_schema_is_described_and_nothing_may_be_added():
    def walk(schema):
        for name, inner in schema.get("properties", {}).items():
            assert inner.get("description"), name
            yield from walk(inner)
        yield schema
        if isinstance(schema.get("items"), dict):
            yield from walk(schema["items"])

    objects = [one for one in walk(SCHEMA) if one.get("type") == "object"]
    assert len(objects) == 6
    assert all("additionalProperties" in one for one in objects)


def test_a_file_passes_the_schema_in_any_validator():
    Draft202012Validator(SCHEMA).validate(as_json())


# Whatever a file holds


JUNK = [
    None,
    True,
    0,
    -1,
    4.0,
    1e308,
    10**30,
    "",
    "x",
    "\0",
    [],
    {},
    [[[]]],
    {"a": {"b": [1]}},
    "9",
]


def places(inner):
    """Every list or object within, with each of its positions or names."""
    for key in range(len(inner)) if isinstance(inner, list) else list(inner):
        yield inner, key
        if isinstance(inner[key], dict | list):
            yield from places(inner[key])


def mutated(chance):
    """The good file with one or more things broken, in the tree or in the text."""
    content = as_json()
    for _ in range(chance.randint(1, 3)):
        parent, key = chance.choice(list(places(content)))
        junk = deepcopy(chance.choice(JUNK))
        kind = chance.choice(["dropped", "replaced", "nested", "added"])
        if kind == "dropped":
            del parent[key]
        elif kind == "replaced":
            parent[key] = junk
        elif kind == "nested":
            parent[key] = [parent[key], junk]
        elif isinstance(parent, dict):
            parent[chance.choice(["size", "a", "\n", ""])] = junk
    text = json.dumps(content).encode()
    if chance.random() < 0.3:
        at = chance.randrange(len(text))
        middle = bytes(chance.randrange(256) for _ in range(chance.randrange(4)))
        text = text[:at] + middle + text[at + chance.randrange(3) :]
    return text


def test_a_file_broken_in_any_way_is_read_or_refused_and_nothing_else_happens():
    chance = random.Random(7)
    refusals = []
    for _ in range(300):
        text = mutated(chance)
        try:
            recording = from_text(text)
        except RecordingError as refused:
            refusals.append(refused)
        else:
            assert from_text(to_text(recording)) == recording
    assert 200 < len(refusals) < 300
    reasons = {refused.reason for refused in refusals}
    assert {"schema", "not json"} <= reasons <= REASONS.keys()
    assert all((refused.where + refused.detail).isprintable() for refused in refusals)
