"""What a standalone program needs: definitions of ours, imports, and values as source text."""

from __future__ import annotations

import ast
import base64
import inspect
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from engines.listing import EDITED_SOURCE
from engines.trace import Drawn, Named

WRITTEN_OUT = 600  # an array with more entries is packed


class NotStandaloneError(ValueError):
    """A run that cannot be written as a standalone program."""


class Needed:
    """What a listing needs: imports, and definitions of ours in an order in which they can run."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.definitions: dict[str, str] = {}
        self.imports: list[str] = []
        self.bytes_each = 8  # the fewest of a floating-point number among what is written
        self.steps = False  # whether a Step is made in them
        self._read: dict[str, set[str]] = {}  # by argument, the attributes that are read of it
        self._begun: set[str] = set()

    def add(self, names: Mapping[str, Any], name: str) -> None:
        """Add a definition of a module, after all that it uses. names: of the module."""
        found = _definition(names, name)
        if found is None or name in self._begun:
            return
        self._begun.add(name)
        source, node = found
        for used in _used(node):
            self._add_used(names, used)
        for one in ast.walk(node):
            if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name):
                self._read.setdefault(one.value.id, set()).add(one.attr)
        self.definitions[name] = source

    def _add_used(self, names: Mapping[str, Any], used: str) -> None:
        if used == "Step":
            self.steps = True
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

    def written(self, names: Mapping[str, Any], name: str, value: Any) -> str:
        """A value as Python source. name: of the argument. Raises NotStandaloneError."""
        if isinstance(value, Named):
            self.add(names, value.expression.partition(".")[0])
            return value.expression
        if isinstance(value, Drawn):
            return self._drawn(value)
        if isinstance(value, np.ndarray | np.floating) and value.dtype.kind == "f":
            self.bytes_each = min(self.bytes_each, value.itemsize)
        if isinstance(value, np.ndarray):
            return _array(value)
        if value is None or isinstance(value, bool | int | float | str | np.generic):
            return repr(value)
        if isinstance(value, Mapping):
            rows = (f"    {k!r}: {self.written(names, name, one)}," for k, one in value.items())
            return "{\n" + "\n".join(rows) + "\n}"
        return self._function(value) if callable(value) else self._other(names, name, value)

    def _other(self, names: Mapping[str, Any], name: str, value: Any) -> str:
        """A sequence; of any other object only the attributes that the listing reads."""
        if isinstance(value, list | tuple):
            return f"[{', '.join(self.written(names, name, one) for one in value)}]"
        read = sorted(self._read.get(name, ()))
        if not read or not all(hasattr(value, one) for one in read):
            raise NotStandaloneError(f"{name} cannot be written down")
        self.imports.append("from types import SimpleNamespace")
        rows = (f"    {one}={self.written(names, one, getattr(value, one))}," for one in read)
        return "SimpleNamespace(\n" + "\n".join(rows) + "\n)"

    def _drawn(self, value: Drawn) -> str:
        array = value.drawn()
        arrays = array.values() if isinstance(array, Mapping) else [array]
        self.bytes_each = min(self.bytes_each, *(one.itemsize for one in arrays))
        place = "" if value.place is None else f"[{value.place!r}]"
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
    """The top-level statements of a module with their source, those of an edited listing first."""
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
            case ast.AnnAssign(target=ast.Name(id=defined_name)):
                defined = [defined_name]
            case ast.Assign():
                defined = [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]
                defined = [one for one in defined if one not in _used(node)]
            case _:
                defined = []
        if name in defined:
            return source, node
    return None


def _imported(names: Mapping[str, Any], name: str) -> str | tuple[ModuleType, str] | None:
    """How a module imports a name: the statement, or for ours the module and the name there."""
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
    """The names that it reads when it runs, without those in annotations."""
    notes = [getattr(one, "annotation", None) for one in ast.walk(node)]
    notes += [getattr(one, "returns", None) for one in ast.walk(node)]
    noted = {id(part) for note in notes if note is not None for part in ast.walk(note)}
    return {
        one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and id(one) not in noted
    }
