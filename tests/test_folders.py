"""The address is the folder: who may import whom, where frameworks may be, and what names mean."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    p.relative_to(ROOT)
    for d in ("engines", "views", "pages", "server", "backstep")
    for p in (ROOT / d).rglob("*.py")
)
SOURCES = [Path("app.py"), Path("home.py"), *FILES]
OWN = "own_training"  # the page of `python -m backstep`, which no public server has
PAGES = {path.stem for path in (ROOT / "pages").glob("*.py")} | {"home", OWN}
FRAMEWORKS = {"torch", "tensorflow", "keras"}
FAMILIES = {
    path.parts[1]
    for path in FILES
    if len(path.parts) == 3 and path.parts[0] in ("engines", "views")
} - {*PAGES, "ui", "player"}
LOADED_BY_ALL = [
    path
    for path in FILES
    if path.parts[:2] in {("views", "ui"), ("views", "player")}
    or path.parent == Path("engines")
    or path.parts[0] == "server"
]


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=str)


def place(path):
    """The layer and the folder: ("views", "player"); a page has the folder of its name."""
    if path.parts[0] == "backstep":
        return ("pages" if path.stem == "page" else "backstep"), OWN
    if path.parts[0] in ("pages", "home.py"):
        return "pages", "home" if path == Path("home.py") else path.stem
    if path == Path("app.py"):
        return "app", ""
    return path.parts[0], path.parts[1] if len(path.parts) == 3 else ""


def imports(path, statements=None):
    """The dotted names that a file imports, or that these statements of it do."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree) if statements is None else statements(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def file_of(name):
    """The file of this project that a dotted name lies in, or None."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        for file in (
            Path(*parts[:length]).with_suffix(".py"),
            Path(*parts[:length], "__init__.py"),
        ):
            if file in SOURCES:
                return file
    return None


def may_import(layer, folder, other_layer, other_folder):
    """What stands around the app knows what is around each page, and no page; nobody knows it."""
    if other_folder in PAGES and other_folder != folder:
        return False
    return {
        ("app", "server"): True,
        ("server", "server"): True,
        ("server", "views"): other_folder == "ui",
        ("server", "engines"): other_folder in FAMILIES,
        ("backstep", "backstep"): True,
        ("backstep", "views"): other_folder in (OWN, "ui"),
        ("backstep", "engines"): other_folder in (OWN, ""),
        ("pages", "views"): True,
        ("pages", "engines"): True,
        ("views", "views"): other_folder
        in {
            "player": {"player"},
            "ui": {"ui", "player"},
        }.get(folder, {folder, "ui", "player"} | (FAMILIES if folder in PAGES else set())),
        ("views", "engines"): folder != "player"
        and (other_folder in ("", folder) or folder in PAGES),
        ("engines", "engines"): other_folder in ("", folder)
        or (folder != "" and other_folder in FAMILIES),
    }.get((layer, other_layer), False)


@each(SOURCES)
def test_imports_go_down_and_to_no_other_page(path):
    used = {file for name in imports(path) if (file := file_of(name))}
    forbidden = {file for file in used if not may_import(*place(path), *place(file))}
    assert forbidden == set()


def test_no_folders_import_each_other_in_a_circle():
    uses = {}
    for path in SOURCES:
        used = {place(file) for name in imports(path) if (file := file_of(name))}
        uses.setdefault(place(path), set()).update(used - {place(path)})

    def reaches(folder, seen=()):
        for other in uses.get(folder, ()):
            assert other not in seen, [*seen, other]
            reaches(other, (*seen, other))

    for folder in uses:
        reaches(folder, (folder,))


def test_nothing_that_the_public_app_loads_leads_to_what_runs_somebodys_program():
    """Also not late, within a function: what is imported there counts as well."""
    public = [path for path in SOURCES if place(path)[1] != OWN]
    public += [
        Path("app.py"),
        *((path.relative_to(ROOT)) for path in (ROOT / "server").glob("*.py")),
    ]
    own = {"backstep", f"engines.{OWN}", f"views.{OWN}"}
    for path in public:
        leading = {
            name for name in imports(path) if any(f"{name}.".startswith(f"{o}.") for o in own)
        }
        text = (ROOT / path).read_text(encoding="utf-8")
        assert (leading, OWN in text) == (set(), False), path
    assert not [path for path in (ROOT / "pages").glob("*.py") if OWN in path.stem]


@each([path for path in FILES if path.parts[0] == "engines"])
def test_an_engine_knows_nothing_of_pages_and_one_framework_at_most(path):
    used = {name.split(".")[0] for name in imports(path, lambda tree: tree.body)}
    assert not used & {"streamlit", "altair"}
    assert len(used & FRAMEWORKS) <= (path.parent != Path("engines"))


def test_what_every_page_loads_loads_no_framework():
    of_pages = set().union(
        *(imports(path, lambda tree: tree.body) for path in SOURCES if place(path)[0] == "pages")
    )
    files = {file for name in of_pages if (file := file_of(name))} | set(LOADED_BY_ALL)
    modules = sorted(
        ".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in files
    )
    script = f"import sys, {', '.join(modules)}; print(*{FRAMEWORKS} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


@each(SOURCES)
def test_a_module_and_what_is_in_it_have_different_names(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert path.stem not in defined
