"""A run as a program by itself: the listing that ran, its data, and the numbers to come out.

    for cell in program(trace): print(cell)

The program imports a framework where its listing does, and nothing from here. It asserts that its
numbers are those of the run, so whoever takes it home knows that it is the same one.
"""

from __future__ import annotations

import ast
import base64
import inspect
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from string import Template
from types import ModuleType
from typing import Any

import numpy as np

from engines.listing import EDITED_SOURCE
from engines.trace import Drawn, Step, Trace

WRITTEN_OUT = 600  # an array with more entries is packed
CHECKED = 5  # steps whose numbers the program prints, evenly spread
# Relative: in 64 bits another machine may round the last digits otherwise. In 32 bits the sums of
# a training come apart sooner, and a framework adds up in another order on another processor.
TOLERANCE = {8: 1e-9, 4: 1e-3}


CHECKS = Template("""\
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


class NotStandaloneError(ValueError):
    """A run that cannot be told as a program by itself."""


def program(trace: Trace, *, title: str = "") -> list[str]:
    """The cells of the program, in order; joined by blank lines they are one file.

    title: what the first cell says it is. Raises NotStandaloneError where a run was not made by a
    listing alone, or was given what cannot be written down.
    """
    made = trace.made
    if made is None:
        raise NotStandaloneError("no listing made this run")
    needed = _Needed()
    needed.add(made.names, made.listing)
    arguments = {name: needed.written(name, value) for name, value in made.arguments.items()}
    signature = inspect.signature(made.names[made.listing]).parameters
    call = [
        name if signature[name].kind is not inspect.Parameter.KEYWORD_ONLY else f"{name}={name}"
        for name in arguments
    ]
    data = [f"{name} = {text}" for name, text in arguments.items()]
    imports = [
        "import math",
        "from typing import Any, NamedTuple",
        "import numpy as np",
        *needed.imports,
    ]
    *definitions, listing = needed.definitions.values()
    step = inspect.getsource(Step).partition('    """')[0] + _fields(Step)
    return [
        f'"""{title}"""' if title else '"""A training run."""',
        "from __future__ import annotations\n\n" + "\n".join(sorted(set(imports), key=_order)),
        "# The state before one update, and what the listing computed from it.\n" + step,
        *definitions,
        listing,
        "# What the run was given.\n" + "\n".join(data),
        _checks(trace, f"{made.listing}({', '.join(call)})", needed.bytes_each),
    ]


def _fields(kind: type) -> str:
    return "\n".join(f"    {name}: Any" for name in kind.__annotations__)


def _order(line: str) -> tuple[bool, str]:
    return not line.startswith("import"), line


def _checks(trace: Trace, call: str, bytes_each: int) -> str:
    """The cell that runs the listing, prints some of its steps, and asserts what they are.

    bytes_each: of the numbers that it computes with.
    """
    last = len(trace) - 1
    steps = sorted({*np.linspace(0, last, CHECKED).round().astype(int).tolist(), min(1, last)})
    expected = {k: {name: float(v) for name, v in _sizes(trace[k]).items()} for k in steps}
    rows = "\n".join(f"    {k}: {_plain(numbers)}," for k, numbers in expected.items())
    return CHECKS.substitute(rows=rows, tolerance=TOLERANCE[bytes_each], call=call)


def _sizes(step: Step) -> dict[str, float]:
    values = {"loss": step.loss, **step.params}
    return {n: float(np.linalg.norm(v)) if np.ndim(v) else float(v) for n, v in values.items()}


def _plain(numbers: Mapping[str, float]) -> str:
    """A dictionary as Python reads it, also of numbers that are not finite."""
    texts = {name: repr(v) if np.isfinite(v) else f'float("{v}")' for name, v in numbers.items()}
    return "{" + ", ".join(f'"{name}": {text}' for name, text in texts.items()) + "}"


class _Needed:
    """What a listing needs: definitions of ours, in an order in which they can run, and imports."""

    def __init__(self) -> None:
        """Nothing so far."""
        self.definitions: dict[str, str] = {}
        self.imports: list[str] = []
        self.bytes_each = 8  # the fewest of a floating-point number among what is written
        self._read: dict[str, set[str]] = {}  # by argument, the attributes that are read of it

    def add(self, names: Mapping[str, Any], name: str) -> None:
        """Add a definition of a module, after all that it uses. names: of the module."""
        found = _definition(names, name)
        if found is None or name in self.definitions:
            return
        source, node = found
        for used in _used(node):
            self._add_used(names, used)
        for one in ast.walk(node):
            if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name):
                self._read.setdefault(one.value.id, set()).add(one.attr)
        self.definitions[name] = source

    def _add_used(self, names: Mapping[str, Any], used: str) -> None:
        if used == "Step":
            return
        statement = _imported(names, used)
        if statement is None:
            self.add(names, used)
        elif isinstance(statement, str):
            self.imports.append(statement)
        else:
            module, there = statement
            if isinstance(getattr(module, there, None), ModuleType):
                raise NotStandaloneError(f"{used} is a module of ours")
            self.add(vars(module), there)

    def written(self, name: str, value: Any) -> str:
        """A value as Python reads it. name: of the argument. Raises NotStandaloneError."""
        if isinstance(value, Drawn):
            return self._drawn(value)
        if isinstance(value, np.ndarray | np.floating) and value.dtype.kind == "f":
            self.bytes_each = min(self.bytes_each, value.itemsize)
        if isinstance(value, np.ndarray):
            return _array(value)
        if value is None or isinstance(value, bool | int | float | str | np.generic):
            return repr(value)
        if isinstance(value, Mapping):
            rows = (f"    {k!r}: {self.written(name, one)}," for k, one in value.items())
            return "{\n" + "\n".join(rows) + "\n}"
        if callable(value):
            return self._function(value)
        read = sorted(self._read.get(name, ()))
        if not read or not all(hasattr(value, one) for one in read):
            raise NotStandaloneError(f"{name} cannot be written down")
        self.imports.append("from types import SimpleNamespace")
        rows = (f"    {one}={self.written(one, getattr(value, one))}," for one in read)
        return "SimpleNamespace(\n" + "\n".join(rows) + "\n)"

    def _drawn(self, value: Drawn) -> str:
        found = value.by(*value.given)
        array = found if value.place is None else found[value.place]
        arrays = array.values() if isinstance(array, Mapping) else [array]
        self.bytes_each = min(self.bytes_each, *(one.itemsize for one in arrays))
        place = "" if value.place is None else f"[{value.place}]"
        return f"{self._function(value.by)}({', '.join(map(repr, value.given))}){place}"

    def _function(self, value: Any) -> str:
        owner = getattr(value, "__self__", None)
        known = owner if isinstance(owner, type) else value
        module, name = inspect.getmodule(known), getattr(known, "__name__", "")
        if module is None or not hasattr(module, name):
            raise NotStandaloneError(f"{value} has no name")
        if not module.__name__.startswith("engines."):
            self.imports.append(f"import {module.__name__}")
            return f"{module.__name__}.{name}"
        self.add(vars(module), name)
        return name if known is value else f"{name}.{value.__name__}"


def _array(values: Any) -> str:
    kind = values.dtype.name
    if values.size <= WRITTEN_OUT:
        return f"np.array({values.tolist()}, dtype=np.{kind})"
    packed = base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes(), 9)).decode()
    unpack = f'__import__("zlib").decompress(__import__("base64").b64decode("{packed}"))'
    return f"np.frombuffer({unpack}, dtype=np.{kind}).reshape({values.shape}).copy()"


def _statements(names: Mapping[str, Any]) -> Iterator[tuple[ast.stmt, str]]:
    """The statements of a module with their sources, those of an edited listing first."""
    module = sys.modules[names["__name__"]]
    for source in (names.get(EDITED_SOURCE, ""), inspect.getsource(module)):
        lines = source.splitlines()
        for node in ast.parse(source).body:
            decorators: Sequence[ast.expr] = getattr(node, "decorator_list", ())
            first = min([node.lineno, *(one.lineno for one in decorators)])
            yield node, "\n".join(lines[first - 1 : node.end_lineno])


def _definition(names: Mapping[str, Any], name: str) -> tuple[str, ast.stmt] | None:
    """The source of what defines a name at the top of a module, or None."""
    for node, source in _statements(names):
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                defined = [node.name]
            case ast.Assign():
                defined = [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]
                defined = [one for one in defined if one not in _used(node)]
            case _:
                defined = []
        if name in defined:
            return source, node
    return None


def _imported(names: Mapping[str, Any], name: str) -> str | tuple[ModuleType, str] | None:
    """How a module imports a name: the line, or of what is ours the module and the name there."""
    for node, _ in _statements(names):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for alias in node.names:
            if name != (alias.asname or alias.name.partition(".")[0]):
                continue
            written = alias.name + (f" as {alias.asname}" if alias.asname else "")
            if isinstance(node, ast.Import):
                return f"import {written}"
            if (node.module or "").startswith("engines"):
                return sys.modules[str(node.module)], alias.name
            return f"from {node.module} import {written}"
    return None


def _used(node: ast.AST) -> set[str]:
    """The names that are read in it when it runs: not those of types that are only noted."""
    notes = [getattr(one, "annotation", None) for one in ast.walk(node)]
    notes += [getattr(one, "returns", None) for one in ast.walk(node)]
    noted = {id(part) for note in notes if note is not None for part in ast.walk(note)}
    return {
        one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and id(one) not in noted
    }
