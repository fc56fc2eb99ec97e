"""How long a file may be, what it may name, and what must be the same in two places."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "pages").glob("*.py"))


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


# Sizes and names


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_is_about_150_lines_at_most(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 160


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
    for text in ("https://example.org/" + "home/a", "pages/" + "work/x", "./" + "tmp/x"):
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
