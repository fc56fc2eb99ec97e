"""E1 to E13: the articles' small programs, with the settings and the numbers that were printed.

experiments.EXPERIMENTS["E1"].printed["w"]      # "2.99850472"
experiments.of_page("manual_gradients")         # {"E1": …, "E2": …}
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Article(NamedTuple):
    """Where experiments come from. title: its own. english: what it is about."""

    title: str
    english: str


class Experiment(NamedTuple):
    """A program that runs here.

    what: in a few words. page: that shows it, "" for none. settings: in words. printed: by name,
    the digits as they stand in the article, or a column of them; empty where it printed none.
    """

    what: str
    article: Article
    page: str
    settings: str
    printed: Mapping[str, str | list[str]] = {}


def _read() -> dict[str, Experiment]:
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        content = tomllib.load(file)
    articles = {name: Article(**about) for name, about in content["articles"].items()}
    return {
        name: Experiment(**{**about, "article": articles[about["article"]]})
        for name, about in content["experiments"].items()
    }


EXPERIMENTS = _read()


def of_page(page: str) -> dict[str, Experiment]:
    """The experiments that a page shows, by name. page: the name of its file."""
    return {name: found for name, found in EXPERIMENTS.items() if found.page == page}
