"""A run as a standalone program: the listing that ran, its data, and the numbers it must give.

    for cell in program(trace): print(cell)
    for cell in program(calling(double, x=2.0)): print(cell)

The program imports a framework where its listing does, and nothing from here. It asserts that its
numbers are those of the run, so whoever takes it home knows that it is the same one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping
from string import Template
from typing import Any, NamedTuple

import numpy as np

from engines.definitions import Needed, NotStandaloneError
from engines.trace import Drawn, Made, Named, Step, Trace, made_by

CHECKED = 5  # steps whose numbers the program prints, evenly spread
MOST = 40  # parts of an answer that it checks, evenly spread
# Relative: in 64 bits another machine may round the last digits otherwise. In 32 bits the sums of
# a training come apart sooner, and a framework adds up in another order on another processor.
TOLERANCE = {8: 1e-9, 4: 1e-3, 2: 1e-2}


class Called(NamedTuple):
    """A call of a listing that is no run of steps: what it returns, or yields, is compared.

    fails: whether it ends in an error, which is what is compared then. varies: parts of what it
    returns that differ from one time to the next, as seconds do; they are printed, no more. answer:
    what it returned, for what is not to be called again; else None.
    """

    made: Made
    fails: bool = False
    varies: tuple[str, ...] = ()
    answer: Any = None


Ran = Trace | Called


def calling(
    listing: Callable[..., Any],
    /,
    *,
    fails: bool = False,
    varies: tuple[str, ...] = (),
    answer: Any = None,
    **arguments: Any,
) -> Called:
    """A call with these arguments, which is made when a program is written of it; see Called."""
    return Called(made_by(listing, **arguments), fails, varies, answer)


OF_STEPS = Template("""\
# The numbers of the run as it was taken home; of an array its length (the norm).
expected = {
$rows
}
tolerance = $tolerance  # relative; another machine may round otherwise


def length(value):
    return float(np.linalg.norm(value)) if np.ndim(value) else float(value)


for k, step in enumerate($call):
    if k in expected:
        seen = {name: length(value) for name, value in {"loss": step.loss, **step.params}.items()}
        print(f"step {k}:", ", ".join(f"{name} = {value:.9g}" for name, value in seen.items()))
        for name, value in expected[k].items():
            same = math.isclose(seen[name], value, rel_tol=tolerance, abs_tol=tolerance)
            assert same or math.isnan(value) and math.isnan(seen[name]), (k, name, value)
    if k == max(expected):
        break
print("These are the numbers of the run.")""")

OF_ANSWER = Template("""\
# What came out when it was taken home; of an array its length (the norm).
expected = {
$rows
}
varies = $varies  # these differ from one time to the next
tolerance = $tolerance  # relative; another machine may round otherwise


$parts_of

seen = parts_of($call)
for name, value in seen.items():
    if name in expected or name.rpartition(".")[2] in varies:
        print(name, "=", value)
for name, value in expected.items():
    same = seen[name] == value
    if not (same or isinstance(value, str)):
        same = math.isclose(seen[name], value, rel_tol=tolerance, abs_tol=tolerance)
        same = same or math.isnan(value) and math.isnan(seen[name])
    assert same, (name, value, seen[name])
print("These are the numbers of the run.")""")

OF_ERROR = Template("""\
# How it ended when it was taken home.
expected = $said

try:
    $call
except Exception as error:
    said = f"{type(error).__name__}: {error}".strip().splitlines()[0]
else:
    said = "It ran to its end."
print(said)
assert said == expected, said
print("It ends as the run did.")""")


def program(ran: Ran, *, title: str = "") -> list[str]:
    """The cells of the program, in order; joined by blank lines they are one file.

    title: what the first cell says it is. Raises NotStandaloneError where a run was not made by a
    listing alone, or was given what cannot be written down.
    """
    made = ran.made
    if made is None:
        raise NotStandaloneError("no listing made this run")
    needed = Needed()
    needed.add(made.names, made.listing)
    listing = made.names[made.listing]
    arguments = {
        name: needed.written(made.names, name, value) for name, value in made.arguments.items()
    }
    signature = inspect.signature(listing).parameters
    by_name = inspect.Parameter.KEYWORD_ONLY
    given = [
        f"{name}={name}" if signature[name].kind is by_name else name
        for name in sorted(arguments, key=list(signature).index)
    ]
    call = f"{made.listing}({', '.join(given)})"
    if isinstance(ran, Trace):
        checks = _of_steps(ran, call, needed.bytes_each)
    else:
        whole = f"list({call})" if inspect.isgeneratorfunction(listing) else call
        checks = _of_error(ran, whole) if ran.fails else _of_answer(ran, whole)
    imports = [
        "import math",
        "from typing import Any, NamedTuple",
        "import numpy as np",
        *needed.imports,
    ]
    *definitions, last = needed.definitions.values()
    data = [f"{name} = {text}" for name, text in arguments.items()]
    return [
        f'"""{title}"""' if title else '"""A training run."""',
        "from __future__ import annotations\n\n" + "\n".join(sorted(set(imports), key=_order)),
        *([_step()] if needed.steps else []),
        *definitions,
        last,
        *(["# What the run was given.\n" + "\n".join(data)] if data else []),
        checks,
    ]


def _step() -> str:
    fields = "\n".join(f"    {name}: Any" for name in Step.__annotations__)
    told = "# The state before one update, and what the listing computed from it.\n"
    return told + inspect.getsource(Step).partition('    """')[0] + fields


def _order(line: str) -> tuple[bool, str]:
    return not line.startswith("import"), line


def _of_steps(trace: Trace, call: str, bytes_each: int) -> str:
    """The cell that runs the listing, prints some of its steps, and asserts what they are.

    bytes_each: of the numbers that it computes with.
    """
    last = len(trace) - 1
    steps = sorted({*np.linspace(0, last, CHECKED).round().astype(int).tolist(), min(1, last)})
    expected = {k: {name: float(v) for name, v in _sizes(trace[k]).items()} for k in steps}
    rows = "\n".join(f"    {k}: {{{_plain(numbers)}}}," for k, numbers in expected.items())
    return OF_STEPS.substitute(rows=rows, tolerance=TOLERANCE[bytes_each], call=call)


def _sizes(step: Step) -> dict[str, float]:
    values = {"loss": step.loss, **step.params}
    return {n: float(np.linalg.norm(v)) if np.ndim(v) else float(v) for n, v in values.items()}


def _plain(parts: Mapping[str, float | str], between: str = ", ") -> str:
    """The entries of a dictionary as Python reads it, also of numbers that are not finite."""
    texts = {
        name: repr(one) if isinstance(one, str) or np.isfinite(one) else f'float("{one}")'
        for name, one in parts.items()
    }
    return between.join(f'"{name}": {text}' for name, text in texts.items())


# ---- Of a call


def parts_of(value: Any, name: str = "answer") -> dict[str, Any]:
    """What was returned, part by part: a number, of an array its length, of all else its text."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, (dict, list, tuple)):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        return {n: v for key, one in inner for n, v in parts_of(one, f"{name}.{key}").items()}
    if value is None or isinstance(value, (str, bool)):
        return {name: str(value)}
    array = np.asarray(value.detach() if hasattr(value, "detach") else value, dtype=float)
    return {name: float(np.linalg.norm(array)) if array.ndim else float(array)}


def _answer(made: Made) -> Any:
    given = {
        name: value.drawn()
        if isinstance(value, Drawn)
        else value.found(made.names)
        if isinstance(value, Named)
        else value
        for name, value in made.arguments.items()
    }
    answer = made.names[made.listing](**given)
    return list(answer) if isinstance(answer, Generator) else answer


def _of_answer(called: Called, call: str) -> str:
    """The cell that makes the call, prints what came out, and asserts that it is what it was."""
    answer = _answer(called.made) if called.answer is None else called.answer
    parts = {
        name: value
        for name, value in parts_of(answer).items()
        if name.rpartition(".")[2] not in called.varies
    }
    spread = np.linspace(0, len(parts) - 1, min(MOST, len(parts))).round().astype(int)
    kept = {name: parts[name] for name in (list(parts)[i] for i in spread)}
    return OF_ANSWER.substitute(
        rows=f"    {_plain(kept, between=f',{chr(10)}    ')},",
        varies=called.varies,
        tolerance=TOLERANCE[_bytes_each(answer)],
        parts_of=inspect.getsource(parts_of),
        call=call,
    )


def _of_error(called: Called, call: str) -> str:
    """The cell that makes the call, and asserts in which error it ends."""
    try:
        _answer(called.made)
    except Exception as error:  # whichever a listing with a mistake ends in: it is told
        said = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        return OF_ERROR.substitute(said=repr(said), call=call)
    raise NotStandaloneError("it ran to its end")


def _bytes_each(answer: Any) -> int:
    """The fewest bytes of a floating-point number in it."""
    if isinstance(answer, Mapping):
        answer = tuple(answer.values())
    if isinstance(answer, list | tuple):
        return min(map(_bytes_each, answer), default=8)
    kind: Any = getattr(answer, "dtype", None)
    if "float" not in str(kind):
        return 8
    return int(kind.itemsize if hasattr(kind, "itemsize") else kind.size)
