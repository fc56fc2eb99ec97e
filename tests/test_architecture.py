"""What may import what, how long a file may be, and what must be the same in two places."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINES, VIEWS, PAGES = (
    sorted((ROOT / name).glob("*.py")) for name in ("engines", "views", "pages")
)
APP = [ROOT / "app.py"] if (ROOT / "app.py").exists() else []
FRAMEWORK_ENGINES = [path for path in ENGINES if path.name.startswith(("torch_", "tf_"))]
PLAIN_ENGINES = [path for path in ENGINES if path not in FRAMEWORK_ENGINES]
FRAMEWORKS = {"torch", "tensorflow", "keras"}


def each(paths):
    return pytest.mark.parametrize(
        "path", paths, ids=lambda path: f"{path.parent.name}/{path.name}"
    )


def files_of_the_project():
    """Every file git tracks or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def text_of(path):
    """The text of a file, or None of one that is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def names_in(statement, package):
    """The dotted names one import brings in: `from a.b import c` brings in a.b.c."""
    if isinstance(statement, ast.Import):
        return {alias.name for alias in statement.names}
    if isinstance(statement, ast.ImportFrom):
        parts = [package] * (statement.level > 0) + [statement.module] * bool(statement.module)
        return {".".join([*parts, alias.name]) for alias in statement.names}
    return set()


def statements(tree, *, at_module_level):
    """Every node, or only those that run when the module is imported."""
    for node in ast.iter_child_nodes(tree):
        if at_module_level and isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
        ):
            continue
        yield node
        yield from statements(node, at_module_level=at_module_level)


def imports(source, *, package="", at_module_level=False):
    tree = ast.parse(source)
    nodes = statements(tree, at_module_level=at_module_level)
    return set().union(*(names_in(node, package) for node in nodes))


def imports_of(path, **options):
    return imports(path.read_text(encoding="utf-8"), package=path.parent.name, **options)


def top_level(names):
    return {name.split(".")[0] for name in names}


def test_the_reader_of_imports_sees_every_kind_of_import():
    source = (
        "import a.b\n"
        "from c import d\n"
        "from . import e\n"
        "from .f import g\n"
        "if True:\n    import h\n"
        "def later():\n    import i\n"
    )
    now = {"a.b", "c.d", "views.e", "views.f.g", "h"}
    assert imports(source, package="views", at_module_level=True) == now
    assert imports(source, package="views") == now | {"i"}


# One way only


@each(ENGINES)
def test_engines_know_nothing_of_streamlit_charts_views_or_pages(path):
    assert not top_level(imports_of(path)) & {"streamlit", "altair", "views", "pages", "app"}


@each(VIEWS)
def test_views_know_only_the_plain_data_of_engines(path):
    of_engines = [name.split(".")[1] for name in imports_of(path) if name.startswith("engines.")]
    plain = {"problem", "trace", "graph", "static_graph", "matching", "operations", "recording"}
    assert set(of_engines) <= plain
    assert not top_level(imports_of(path)) & {"pages", "app", *FRAMEWORKS}


@each(APP + PAGES)
def test_pages_draw_nothing_themselves_and_load_no_framework_by_themselves(path):
    assert "altair" not in top_level(imports_of(path))
    assert not top_level(imports_of(path, at_module_level=True)) & FRAMEWORKS


@each(PLAIN_ENGINES)
def test_only_the_engines_named_after_a_framework_import_one(path):
    assert not top_level(imports_of(path, at_module_level=True)) & FRAMEWORKS


@each(FRAMEWORK_ENGINES)
def test_an_engine_named_after_a_framework_knows_only_that_one(path):
    own = {"torch": {"torch"}, "tf": {"tensorflow"}}[path.name.split("_")[0]]
    assert top_level(imports_of(path)) & FRAMEWORKS <= own


def test_what_home_imports_loads_no_framework():
    modules = [f"{path.parent.name}.{path.stem}" for path in PLAIN_ENGINES + VIEWS]
    modules = [name.removesuffix(".__init__") for name in modules]
    script = f"import sys, {', '.join(modules)}; print(*{FRAMEWORKS} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


# Sizes and names


@each(PAGES)
def test_a_page_is_about_150_lines_at_most(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 160


def test_every_source_file_is_under_400_lines():
    kinds = {".py", ".js", ".css", ".html"}
    files = [p for p in files_of_the_project() if "tests" not in p.parts]
    sources = [p for p in files if p.suffix in kinds]
    lengths = {p.relative_to(ROOT): len(text_of(p).splitlines()) for p in sources}
    assert lengths
    assert {path: length for path, length in lengths.items() if length >= 400} == {}


def test_no_file_is_a_drawer_for_everything():
    assert [
        p for p in files_of_the_project() if p.stem in {"utils", "util", "helpers", "misc"}
    ] == []


MACHINE_PATH = re.compile(r"(?<![\w.:/-])(/(work|root|home|Users|tmp|private|mnt)/|[A-Z]:\\)\w")


def test_a_machine_path_is_recognised():
    for text in ("cd /" + "work/x", '"/' + 'home/me"', "C:" + r"\Users"):
        assert MACHINE_PATH.search(text)
    for text in ("https://example.org/home/a", "pages/work/x", "./" + "tmp/x"):
        assert not MACHINE_PATH.search(text)


def test_no_file_names_a_path_of_one_machine():
    texts = {path: text_of(path) for path in files_of_the_project()}
    found = {
        str(path.relative_to(ROOT)): match.group()
        for path, text in texts.items()
        if text and (match := MACHINE_PATH.search(text))
    }
    assert found == {}


# Requirements


def pins(name):
    """package: version, extras and markers left out; every line must be pinned exactly."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line.strip() and not line.startswith(("#", "-r"))]
    matches = [re.fullmatch(r"([\w.-]+)(?:\[.*?\])?==([\w.]+)\s*(?:;.*)?", line) for line in wanted]
    assert all(matches), f"{name}: not pinned exactly"
    return {(match[1].removesuffix("-cpu"), match[2]) for match in matches}


def test_the_gpu_requirements_pin_the_same_versions():
    assert pins("requirements-gpu.txt") == pins("requirements.txt")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_a_package_is_pinned_once_and_to_one_version(name):
    packages = [package for package, _ in pins(name)]
    assert packages
    assert len(packages) == len(set(packages))
