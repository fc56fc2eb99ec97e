"""The user's own modules that a program imports: found, and one of them changed as it is loaded.

Its loop may be in one of them, as in `trainer.py` beside `my_training.py`.
"""

from __future__ import annotations

import ast
import sys
import sysconfig
import tokenize
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import resolve_name
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

MOST = 100  # modules that are read
OURS = [Path(__file__).parents[2] / name for name in ("backstep", "engines", "views")]
NOT_OWN = {*OURS, Path(sysconfig.get_path("stdlib"))}
INSTALLED = {"site-packages", "dist-packages"}  # folders of whatever environment


class Source(NamedTuple):
    """A file of Python. file: as Python names it in a traceback. package: that it is a part of."""

    file: str
    text: str
    tree: ast.Module
    package: str = ""


def read(file: str, package: str = "") -> Source:
    """Read and parse it. Raises SyntaxError, or ValueError for what is not text."""
    with tokenize.open(file) as opened:
        text = opened.read()
    return Source(file, text, ast.parse(text, file), package)


def imported(program: Source) -> list[Source]:
    """What it imports that is not installed, and what that imports, in this order.

    They are looked for as Python does: on sys.path, where the folder of the program is to be first.
    """
    found = {program.file: program}
    for source in (waiting := [program]):  # which grows
        for name in _imports(source):
            for spec in _specs(name):
                if len(found) > MOST or spec.origin in found or not _is_own(spec):
                    continue
                assert spec.origin
                with suppress(SyntaxError, ValueError):  # importing it will tell
                    found[spec.origin] = read(spec.origin, spec.parent or "")
                    waiting.append(found[spec.origin])
    return [*found.values()][1:]


@contextmanager
def loaded_as(source: Source, names: Mapping[str, Any], fresh: Collection[str]) -> Iterator[None]:
    """Within it, the module of this file is compiled from its tree, and has these names, too.

    fresh: the files of modules that are loaded anew within it, and are afterwards as they were.
    """

    class Loader(SourceFileLoader):
        def get_code(self, fullname: str) -> CodeType:
            return compile(source.tree, source.file, "exec", dont_inherit=True)

        def exec_module(self, module: ModuleType) -> None:
            vars(module).update(names)
            super().exec_module(module)

    class Finder:
        @staticmethod
        def find_spec(name: str, path: Any = None, _: Any = None) -> ModuleSpec | None:
            spec = PathFinder.find_spec(name, path)
            if spec is None or spec.origin != source.file:
                return None
            spec.loader = Loader(name, source.file)
            return spec

    before = _taken_out(fresh)
    sys.meta_path.insert(0, Finder)
    try:
        yield
    finally:
        sys.meta_path.remove(Finder)
        _taken_out(fresh)
        sys.modules.update(before)


def _taken_out(files: Collection[str]) -> dict[str, ModuleType]:
    """Remove the loaded modules of these files from sys.modules, and return them by name."""
    loaded = [name for name, it in sys.modules.items() if getattr(it, "__file__", None) in files]
    return {name: sys.modules.pop(name) for name in loaded if name != "__main__"}


def _imports(source: Source) -> Iterator[str]:
    """The dotted names that it imports, wherever in it: of `from a import b` both a and a.b."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            with suppress(ImportError):  # relative, and beyond the package
                base = resolve_name(name, source.package)
                yield from (f"{base}.{alias.name}" for alias in node.names)


def _specs(name: str) -> Iterator[ModuleSpec]:
    """Where a dotted name leads through: its packages, and the module. Nothing is loaded."""
    places = None
    for end, letter in enumerate(f"{name}."):
        if letter == ".":
            spec = PathFinder.find_spec(name[:end], places)
            if spec is None:
                return
            yield spec
            places = spec.submodule_search_locations
            if places is None:
                return


def _is_own(spec: ModuleSpec) -> bool:
    if not isinstance(spec.loader, SourceFileLoader) or not spec.origin:
        return False
    path = Path(spec.origin)
    return not (NOT_OWN & {*path.parents} or INSTALLED & {*path.parts})
