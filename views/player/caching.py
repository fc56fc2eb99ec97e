"""Results kept for all visitors: the same arguments, the same result."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

import streamlit as st

P = ParamSpec("P")
R = TypeVar("R")


class _Keyed(NamedTuple):
    """An argument that is told apart by a key of its own rather than by all that it holds."""

    value: Any
    key: Any


def cached(function: Callable[P, R]) -> Callable[P, R]:
    """For a function of a run: its result is kept for all visitors.

    An argument that has a `key`, such as a trace, is told apart by that, also in a tuple, a list or
    a dictionary; one whose name begins with an underscore is ignored, as in Streamlit.
    """
    return keeping(function, by="key", at_most=32)


def keeping(function: Callable[P, R], *, by: str, at_most: int) -> Callable[P, R]:
    """The function with at most so many results kept. by: the attribute that is a key."""

    @st.cache_resource(
        max_entries=at_most, show_spinner=False, hash_funcs={_Keyed: lambda one: one.key}
    )
    @wraps(function)
    def kept(*args: Any, **named: Any) -> R:
        values = {name: _value(argument) for name, argument in named.items()}
        return function(*map(_value, args), **values)

    @wraps(function)
    def call(*args: Any, **named: Any) -> R:
        keyed = {name: _keyed(value, by) for name, value in named.items()}
        result: R = kept(*(_keyed(value, by) for value in args), **keyed)
        return result

    call.clear = kept.clear  # type: ignore[attr-defined]
    return call


def _keyed(value: Any, by: str) -> Any:
    if type(value) is dict:
        return {name: _keyed(one, by) for name, one in value.items()}
    if type(value) in (tuple, list):
        return type(value)(_keyed(one, by) for one in value)
    key = getattr(value, by, None)
    return value if key is None or callable(key) else _Keyed(value, key)


def _value(argument: Any) -> Any:
    if isinstance(argument, _Keyed):
        return argument.value
    if type(argument) is dict:
        return {name: _value(one) for name, one in argument.items()}
    if type(argument) in (tuple, list):
        return type(argument)(map(_value, argument))
    return argument
