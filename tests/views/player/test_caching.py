"""Results are kept by what they depend on: keys where there are some, content elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from views.player import cached


@dataclass(frozen=True, eq=False)
class Run:
    """Something that is told apart by its key, as a trace is; its values cannot be hashed."""

    key: Any
    values: Any = None


@pytest.fixture
def called():
    return []


@pytest.fixture
def keep(called):
    @cached
    def keep(value, *, more=None, _place=None):
        """What is computed."""
        called.append(value)
        return [value, more]

    keep.clear()
    return keep


def test_a_result_is_computed_once_and_is_the_same_object(keep, called):
    assert keep(1) is keep(1)
    assert called == [1]
    assert keep(2) == [2, None]
    assert keep.__doc__ == "What is computed."
    assert keep.__name__ == "keep"


@pytest.mark.parametrize(
    "around", [lambda one: one, lambda one: (one, 1), lambda one: [one], lambda one: {"run": one}]
)
def test_what_has_a_key_is_told_apart_by_it_wherever_it_stands(keep, called, around):
    first, again, other = Run("a", object()), Run("a", object()), Run("b", object())
    result = keep(around(first))
    assert keep(around(again)) is result
    assert keep(around(other)) is not result
    assert result[0] == around(first)  # the function itself is given what the caller gave
    assert len(called) == 2
    named = keep(0, more=around(first))
    assert keep(0, more=around(again)) is named
    assert keep(0, more=around(other)) is not named


def test_what_has_no_key_is_told_apart_by_its_content(keep, called):
    assert keep(np.arange(3)) is keep(np.arange(3))
    assert keep(np.arange(3)) is not keep(np.arange(4))
    assert len(called) == 2


def test_an_argument_with_an_underscore_does_not_count(keep, called):
    assert keep(1, _place=object()) is keep(1, _place=object())
    assert called == [1]


def test_an_error_is_not_kept(called):
    @cached
    def fails(number):
        called.append(number)
        raise ValueError(number)

    for _ in range(2):
        with pytest.raises(ValueError, match="7"):
            fails(7)
    assert called == [7, 7]
