"""What the container file puts into its image is enough to serve every page."""

import re
import shutil

import pytest

from tests.support.server import REPOSITORY, Visitor, running
from views.ui.contents import PAGES

FILE = (REPOSITORY / "deploy" / "Dockerfile").read_text()
COPIED = [
    source
    for line in re.findall(r"^COPY (?!--from)(.+)$", FILE, re.MULTILINE)
    for source in line.split()[:-1]
]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """What is copied, and nothing else, in a folder of its own; one that starts in it."""
    folder = tmp_path_factory.mktemp("image")
    for source in COPIED:
        found, placed = REPOSITORY / source, folder / source
        placed.parent.mkdir(parents=True, exist_ok=True)
        if found.is_dir():
            shutil.copytree(found, placed)
        else:
            shutil.copy(found, placed)
    with running(cwd=folder) as server:
        yield server


@pytest.mark.parametrize("page", PAGES, ids=[page.path or "home" for page in PAGES])
def test_every_page_is_served(image, page):
    with Visitor(image.url, f"/{page.path}") as visitor:
        assert not visitor.first.errors
        assert len(visitor.first.widgets) > 2


def test_the_context_has_what_is_copied():
    ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert {f"!{source}" for source in COPIED} == {line for line in ignored if line[0] == "!"}
