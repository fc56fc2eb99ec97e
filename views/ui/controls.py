"""Widgets whose values live in the address, each with bounds, and a word where one was refused.

A bound widget of Streamlit drops a bad value from the address without a word, and takes whatever
a modified browser sends. So each control here looks at the address first, bounds what comes back,
and remembers what it could not take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from views.player import Timeline

# Ten values a decade, evenly spaced on a logarithmic axis (Renard's preferred numbers).
RATES = [
    float(f"{mantissa}e{exponent}")
    for exponent in range(-5, 1)
    for mantissa in (1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8)
] + [10.0]


class Controls:
    """The controls of one page. After they are made, `refused` lists (name, asked, used)."""

    def __init__(self, page: str) -> None:
        """Start with nothing refused. page: its file; another page's memory is not this one's."""
        self.refused: list[tuple[str, str, str]] = []
        self._told: list[str] = []
        if st.session_state.get("controls of") != page:
            st.session_state["controls of"] = page
            st.session_state["asked"] = {}
            st.session_state["written"] = {}
            st.session_state["defaults"] = {}
        # A browser that has not had our last word on its address yet sends the old one. So where
        # a control was moved, the control counts, and not the address.
        self._by_hand: bool = st.session_state.pop("by hand", False)
        # By name: what the address asked for at the last run, and what we wrote into it.
        self._last_asked: dict[str, list[str]] = st.session_state["asked"]
        self._written: dict[str, str | None] = st.session_state["written"]
        self._defaults: dict[str, Any] = st.session_state["defaults"]

    @staticmethod
    def moved() -> None:
        """Note that somebody moved a control: the callback of every widget of a page."""
        st.session_state["by hand"] = True

    @staticmethod
    def put(name: str, value: Any) -> None:
        """Move a control from elsewhere on the page, also one that has not been there so far."""
        st.session_state[name] = value
        st.session_state["written"].setdefault(name, st.query_params.get(name))
        Controls.moved()

    @staticmethod
    def forget() -> None:
        """Forget what the controls of the page hold: only what its address says next counts."""
        for name in st.session_state["asked"]:
            if name in st.session_state:
                del st.session_state[name]

    def number(
        self, label: str, name: str, default: float, low: float, high: float, **more: Any
    ) -> float:
        """A number from `low` to `high`, whole if `default` is. `name` is its key and parameter."""
        asked = self._asked(name)
        self._take_from_address(
            name, lambda text: _bounded(_number(text), low, high, default), default
        )
        # To Streamlit each is a number with decimals: of NaN and infinity, which a modified browser
        # can send, it cannot make a whole one, and fails.
        held = st.session_state[name]
        if held != (bounded := _bounded(held, low, high, default)):  # NaN differs from all
            st.session_state[name] = float(bounded)
        step = more.pop("step", 1 if isinstance(default, int) else None)
        # Its default is what comes where the field is emptied.
        looks: dict[str, Any] = {
            "value": float(default),
            "step": step and float(step),
            "format": "%.0f" if isinstance(default, int) else "%g",  # 0.001 is not 0.00
            "key": name,
        }
        value = st.number_input(
            label, float(low), float(high), on_change=self.moved, **(looks | more)
        )
        used: float = _bounded(value, low, high, default)
        self._compare(name, asked, used)
        self._write_to_address(name, None if used == default else f"{used:.15g}")
        return used

    def rate(
        self, label: str, name: str, default: float, *, limit: float, limit_label: str, **more: Any
    ) -> float:
        """A learning rate: one of RATES, on a slider that is logarithmic and marks a limit."""
        asked = self._asked(name)
        self._take_from_address(name, lambda text: _rate(text, default), default)
        if st.session_state[name] not in RATES:  # a modified browser has sent it
            st.session_state[name] = default
        value = st.select_slider(
            label, RATES, format_func=_plain, key=name, on_change=self.moved, **more
        )
        share = math.log(limit / RATES[0]) / math.log(RATES[-1] / RATES[0])
        share = min(max(share, 0.0), 1.0)
        mark = f"<i></i><span>{limit_label}</span>"
        st.html(f'<div class="limit" style="--share: {share:.4f}">{mark}</div>')
        used = value if value in RATES else default
        self._compare(name, asked, used)
        self._write_to_address(name, None if used == default else _plain(used))
        return float(used)

    def choice(
        self,
        widget: Callable[..., Any],
        label: str,
        name: str,
        options: Mapping[Any, str],
        default: str | None,
        *,
        on_choice: Callable[[], None] | None = None,
        on_link: Callable[[], None] | None = None,
        **more: Any,
    ) -> str | None:
        """One of `options`, a name and what a visitor reads for it. The address holds the name.

        widget: st.selectbox, st.pills, … on_choice: called when a visitor has chosen; on_link: when
        a link or the Back button has. Streamlit's own binding would put the visible words into the
        address, which then would not survive their translation.
        """
        asked = self._asked(name)
        linked = self._take_from_address(
            name, lambda text: text if text in options else default, default
        )
        if linked and on_link:
            on_link()
        # What was not chosen goes along with the default, which another choice may have changed.
        before, held = self._defaults.get(name), st.session_state[name]
        if held not in options or (held == before != default and not linked):
            st.session_state[name] = default
        self._defaults[name] = default

        def chosen() -> None:
            self.moved()
            if on_choice:
                on_choice()

        shown = {"format_func": options.get, "key": name, "on_change": chosen}
        value = widget(label, list(options), **shown, **more)
        used = value if value in options else default
        self._compare(name, asked, used)
        self._write_to_address(name, None if used == default else used)
        return used

    def pills(
        self, label: str, name: str, options: Mapping[Any, str], default: str, **more: Any
    ) -> str:
        """One of `options`, always, as a row of pills; see `choice`."""
        return str(self.choice(st.pills, label, name, options, default, required=True, **more))

    def several(
        self, label: str, name: str, options: Mapping[str, str], default: Collection[str]
    ) -> tuple[str, ...]:
        """Any of `options`, as pills; in the address their names with commas between them."""
        asked = self._asked(name)

        def read(text: str) -> list[str]:
            known = [one for one in options if one in text.split(",")]
            return known or list(default if text else ())

        self._take_from_address(name, read, list(default))
        held = st.session_state[name]
        if not set(held) <= options.keys():  # another choice has changed the options
            st.session_state[name] = [one for one in options if one in held] or list(default)
        value = st.pills(
            label,
            list(options),
            selection_mode="multi",
            format_func=lambda one: options[one],
            key=name,
            on_change=self.moved,
        )
        used = tuple(one for one in options if one in value)
        if asked is not None and set(asked[-1].split(",")) != {*(used or ("",))}:
            self._compare(name, asked, ",".join(used))
        self._write_to_address(name, None if used == tuple(default) else ",".join(used))
        return used

    def text(
        self, label: str, name: str, default: str, *, clean: Callable[[str], str], **more: Any
    ) -> tuple[str, str]:
        """A line of text, in the address as it is used. Returns what is used and what was asked.

        clean: makes of any text one that can be used, or "", for which the default is used. What it
        has made it leaves alone.
        """
        linked = self._take_from_address(name, lambda text: clean(text) or default, default)
        address = st.query_params.get(name, default)
        typed = str(st.text_input(label, key=name, on_change=self.moved, **more))
        asked = address if linked else typed
        used = clean(asked) or default
        self._write_to_address(name, None if used == default else used)
        return used, asked

    def flag(self, label: str, name: str, **more: Any) -> bool:
        """A switch, off by default: `true` or `false` in the address."""
        asked = self._asked(name)
        self._take_from_address(name, lambda text: text == "true", False)
        used = bool(st.toggle(label, key=name, on_change=self.moved, **more))
        self._compare(name, asked, str(used).lower())
        self._write_to_address(name, "true" if used else None)
        return used

    def place(self, name: str, options: Sequence[str]) -> str:
        """One of `options`, as the address says; the first if it says nothing. No widget has it."""
        asked = self._asked(name)
        self._take_from_address(
            name, lambda text: text if text in options else options[0], options[0]
        )
        used = str(st.session_state[name])
        self._compare(name, asked, used)
        self._write_to_address(name, None if used == options[0] else used)
        return used

    def flagged(self, name: str) -> bool:
        """What the switch `name`, made further down the page, holds."""
        if self._address_is_new(name):
            return st.query_params.get(name) == "true"
        return bool(st.session_state[name])

    def chosen(self, name: str, options: Collection[str], default: Any = None) -> Any:
        """What the choice `name`, made further down the page, holds; `default` where nothing is.

        For a page whose player shows what is chosen below it.
        """
        asked = self._asked(name)
        new = self._address_is_new(name)
        value = st.query_params.get(name) if new else st.session_state[name]
        used = value if value in options else default
        self._compare(name, asked, used)
        return used

    def tell(self, sentence: str) -> None:
        """Have this said as well where it is said what was refused."""
        self._told.append(sentence)

    def say_refused(self, timeline: Timeline | None = None) -> None:
        """Say, once, what the address asked for that could not be had, the player's part too."""
        first = "step" not in self._last_asked  # later the player itself writes to the address
        played = timeline and {
            "step": timeline.last_step,
            "moment": max(0, sum(timeline.parts) - 1),
        }
        for name, last in (played or {}).items():
            asked = self._asked(name)
            if first and asked not in (None, ["all"]):
                number = _number(asked[0])
                whole = number if asked[0].isdecimal() else 0  # as the player reads it
                self._compare(name, asked, int(_bounded(whole, 0, last, 0)))
        told = [
            f"The address asks for {name} = `{text.replace('`', '')}`, which is not possible "
            f"here. This page uses {used}."
            for name, text, used in self.refused
        ] + self._told
        self.refused.clear()
        self._told.clear()
        if told:
            st.warning("\n\n".join(told))

    def _address_is_new(self, name: str) -> bool:
        """Whether the address is not the one that we wrote: a link, or the Back button.

        Of a control that was not there for a while, Streamlit has forgotten what it held.
        """
        if name not in self._written or name not in st.session_state:
            return True
        return not self._by_hand and st.query_params.get(name) != self._written[name]

    def _take_from_address(self, name: str, read: Callable[[str], Any], default: Any) -> bool:
        """Set the control from the address if that is new; returns whether it was."""
        new = self._address_is_new(name)
        if new:
            text = st.query_params.get(name)
            st.session_state[name] = default if text is None else read(text)
        return new

    def _write_to_address(self, name: str, text: str | None) -> None:
        if text is None and name in st.query_params:
            del st.query_params[name]
        elif text is not None and st.query_params.get_all(name) != [text]:
            st.query_params[name] = text
        self._written[name] = text
        self._last_asked[name] = [] if text is None else [text]

    def _asked(self, name: str) -> list[str] | None:
        """What the address asks for, if it asks for something new and no control was moved."""
        texts = st.query_params.get_all(name)
        new = bool(texts) and texts != self._last_asked.get(name) and not self._by_hand
        self._last_asked[name] = texts
        return texts if new else None

    def _compare(self, name: str, asked: list[str] | None, used: Any) -> None:
        if asked is None:
            return
        wanted: Any = asked[-1] if isinstance(used, str) or used is None else _number(asked[-1])
        if len(asked) > 1 or (wanted != used and not _same_number(wanted, used)):
            shown = (
                f"{used:g}" if isinstance(used, float) else str("none" if used is None else used)
            )
            self.refused.append((name, " ".join(", ".join(asked).split())[:40], shown))


def _plain(rate: float) -> str:
    return f"{rate:.5f}".rstrip("0").rstrip(".")


def _rate(text: str, default: float) -> float:
    """The rate on the slider that a text means, however it is written; else the default."""
    number = _number(text)
    return next((rate for rate in RATES if math.isclose(rate, number)), default)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _same_number(one: Any, other: Any) -> bool:
    return isinstance(one, float) and isinstance(other, float) and math.isclose(one, other)


def _bounded(value: Any, low: float, high: float, default: float) -> Any:
    """The value if it is one, moved into the bounds; else the default."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return default
    bounded = min(max(value, low), high)
    return math.floor(bounded + 0.5) if isinstance(default, int) else float(bounded)
