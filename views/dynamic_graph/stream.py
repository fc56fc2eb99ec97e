"""A line learnt from a stream of minibatches, each of them drawn, used once and thrown away.

The stream is long, so the player shows some hundred of its batches, evenly spread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from engines.dynamic_graph import stream as engine
from engines.dynamic_graph.stream import NOISE, OFFSET, RIGHT, SLOPE
from engines.trace import Trace
from views.dynamic_graph.stream_series import (
    MEAN_OVER,
    MOMENTS,
    SHOWN,
    Points,
    Settings,
    followed,
    history,
    level,
    points_of,
    thinned,
)
from views.player import (
    WHOLE_STEPS,
    Drawing,
    Filling,
    Timeline,
    between,
    cached,
    decades,
    drawing,
    frame,
    mark,
    now,
    picture,
    say,
    show,
    sized,
    wording,
)
from views.ui.controls import Controls
from views.ui.numbers import number
from views.ui.palette import BEST, DATA, MODEL, QUIET
from views.ui.shell import Here
from views.ui.staging import beside, stage

TOP = 40.0  # of the article's picture
# The largest eigenvalue of the Hessian of one point's loss: averaged over x, and at x = 20.
STEEPEST = float(np.linalg.eigvalsh([[RIGHT**2 / 3, RIGHT / 2], [RIGHT / 2, 1]])[-1])
LARGEST = RIGHT**2 + 1

SIZES = {str(size): str(size) for size in (1, 2, 4, 8, 16, 32, 64)}
RATES = {"scaled": "0.008 / points in a batch", "same": "always 0.001"}

OPENS = 400  # a batch at which the line has tilted and is still far off
LATE = 2000  # batches at the end of the stream, when it no longer comes nearer
REDRAWN = 1000  # batches, as in the article
WHOLE_LABELS = alt.Axis(tickCount=5, labelFlushOffset=-2)  # the picture's edge cuts no digit


ARTICLE = Settings(8, 0.001)


def show_stage(here: Here) -> None:
    """The batch and the line, the loss, and how far the line is from the truth."""
    with stage(here) as play:
        stream = _choose(here.controls)
        trace, points = streamed(*stream)
        timeline, every = _timeline(trace, points)
        exploded = trace.final.non_finite
        play(
            timeline,
            ran={"": trace},
            begin=(2 if exploded else OPENS // every, None),
            stops=_stops(stream, trace, every),
            readout={"loss": (0, None), "w": (0, None), "b": (0, None)},
            counted="batch {step} of {last}",
            every=every,
        )
        if exploded:
            wording.warning(_exploded(stream, at=len(trace) - 1))
        else:
            say(_numbers(stream))
        pictures = {
            "line": line(trace, timeline),
            "loss": loss(stream, trace, timeline),
            "distance": distance(stream, trace, timeline),
        }
        for place, (name, figure) in zip(beside(3), pictures.items(), strict=True):
            with place:
                show(figure, key=f"stream_{name}")


def verdict_of(controls: Controls) -> None:
    """What became of the stream that is on the stage."""
    stream = _asked(controls)
    verdict(stream, *(streamed(*one)[0] for one in (stream, ARTICLE)))


@cached
def streamed(batch: int, learning_rate: float) -> tuple[Trace, Points]:
    """The stream in batches of this size, and the points of each that are drawn."""
    trace, batches = engine.run(batch, learning_rate)
    return trace, points_of(batches)


@cached
def _timeline(trace: Trace, points: Points) -> tuple[Timeline, int]:
    """What the player plays, and how many batches one step of it stands for."""
    last = len(trace) - 1
    every = max(1, -(-last // MOMENTS))  # rounded up
    steps = -(-last // every)
    series = followed(trace, points, every=every, steps=steps)
    series |= {name: series[f"stream_{name}"] for name in ("loss", "w", "b")}
    return Timeline(series, steps, parts=WHOLE_STEPS), every


def _stops(stream: Settings, trace: Trace, every: int) -> list[int]:
    """Where the loss is first halved, and where the line first comes as near as noise allows."""
    so_far = history(trace)
    halved = so_far["mean"] < so_far["mean"][0] / 2
    near = so_far["distance"] <= level(stream).distance
    first = [np.flatnonzero(one)[:1] for one in (halved, near)]
    return sorted({-(-int(batch) // every) for batch in np.concatenate(first)})


def _choose(controls: Controls) -> Settings:
    """The controls: points in a batch, and whether the learning rate allows for their number."""
    with st.container(horizontal=True, gap="small"):
        for label, name, options, default in (
            ("Points in a batch", "batch", SIZES, str(ARTICLE.batch)),
            ("Learning rate of the stream", "stream_rate", RATES, "scaled"),
        ):
            controls.pills(label, name, options, default)
    return _asked(controls)


def _asked(controls: Controls) -> Settings:
    size = int(controls.chosen("batch", SIZES, str(ARTICLE.batch)))
    same = controls.chosen("stream_rate", RATES, "scaled") == "same"
    rate = ARTICLE.learning_rate
    return Settings(size, rate if same else ARTICLE.batch * rate / size)


# ---- In words


def verdict(stream: Settings, trace: Trace, article: Trace) -> None:
    """Say how near a stream came to the truth; one that exploded did not. article: its stream."""
    if trace.final.non_finite:
        return
    st.markdown(
        "Even at the true line the gradient of a batch is not zero: its points have noise of their "
        "own, and each step kicks w and b by the rate times that. So at a constant rate the last "
        "bit of noise never goes away. The distance falls, and then it wanders. Short steps let it "
        "wander about 3·√rate away, where 3 is the noise, whatever the size of the batch; longer "
        "steps overshoot, and let it wander a little farther. The dashed line in the picture is "
        "where that settles. A smaller rate comes nearer, and takes longer."
    )
    st.markdown(
        "A line that wanders is never quite the true one, so its mean loss stays above what noise "
        "alone leaves to the true line."
    )
    st.markdown(_how_near(stream, trace))
    if stream != ARTICLE:
        st.markdown(_how_near(ARTICLE, article))


@cached
def _how_near(stream: Settings, trace: Trace) -> str:
    so_far, settled = history(trace), level(stream)
    away = so_far["distance"]
    near = np.flatnonzero(away <= settled.distance)
    noise = stream.batch * NOISE**2 / 2
    told = (
        f"**Batches of {stream.batch}, learning rate {stream.learning_rate:g}:** in the long run "
        f"the distance settles at {settled.distance:.3f} (the root of its mean square), and the "
        f"loss at {settled.loss:.1f}, where noise alone is {noise:g}. Over the last {LATE} batches "
        f"they are **{np.sqrt((away[-LATE:] ** 2).mean()):.3f}** and "
        f"**{so_far['loss'][-LATE:].mean():.1f}**. "
    )
    if not len(near):
        told += f"In {len(trace) - 1} batches the line has not come so near"
        return told + ": its steps are too short to arrive in that time."
    told += f"The line first came so near at batch {near[0]}. "
    if stream.learning_rate < 2 / LARGEST:
        return told
    short = NOISE * np.sqrt(stream.learning_rate)
    return told + (
        f"Short steps would let it wander {short:.3f} away. But a point near x = {RIGHT:g} makes a "
        f"long one: alone it has a curvature of {LARGEST:g}, and the rate is beyond 2/{LARGEST:g}."
    )


def _exploded(stream: Settings, *, at: int) -> str:
    batch, limit = stream.batch, 2 / STEEPEST
    return (
        f"This stream explodes: at batch **{at}** the loss is larger than 32 bits can hold. The "
        f"loss is a sum, and each point adds {STEEPEST:.0f}, on average, to its largest curvature "
        f"λ. So for {batch} points 2/λ is {number(limit / batch, 2)}, and the learning "
        f"rate {stream.learning_rate:g} is beyond it. For the article's {ARTICLE.batch} points it "
        f"is {number(limit / ARTICLE.batch, 2)}."
    )


def _numbers(stream: Settings) -> str:
    few = f" Of its {stream.batch} points the first {SHOWN} are drawn."
    return (
        f"Batch {now('stream_batch', digits=0)} was drawn, used once and thrown away. (w, b) is "
        f"<b>{now('stream_distance', digits=3)}</b> away from the true ({SLOPE:g}, {OFFSET:g}). "
        f"The dashed lines: in the long run noise keeps it about "
        f"{number(level(stream).distance, 2)} away, and the mean loss above that of noise alone."
        f"{few if stream.batch > SHOWN else ''}"
    )


# ---- In pictures


@picture
def line(trace: Trace, timeline: Timeline) -> Filling:
    """The batch's points, the line learnt so far, the lines before it, and the true one."""
    before = history(trace)[["batch", "w", "b"]].iloc[::REDRAWN].astype(np.float32)
    # A line that has run away is left out: a canvas cannot hold its coordinates.
    before = before[(before[["w", "b"]].abs() < TOP).all(axis=1)]
    ends = before.merge(pd.DataFrame({"x": [0, RIGHT]}), how="cross")
    ends["y"] = ends["w"] * ends["x"] + ends["b"]
    return {"before": ends[["batch", "x", "y"]]}, {}


@line.drawing
def _draw_line(timeline: Timeline) -> Drawing:
    x = alt.X("x:Q", title="x", scale=alt.Scale(domain=[0, RIGHT]), axis=WHOLE_LABELS)
    y = alt.Y("y:Q", title="y", scale=alt.Scale(domain=[0, TOP]))
    names = ["truth", "earlier", "now"]
    legend = alt.Legend(symbolSize=400, labelLimit=0, columns=1)
    colors = alt.Scale(domain=names, range=[BEST, QUIET, MODEL])
    dashes = alt.Scale(domain=names, range=[[6, 4], [1, 0], [1, 0]])
    color = alt.Color("what:N", scale=colors, legend=legend)
    dash = alt.StrokeDash("what:N", scale=dashes, legend=legend)

    def lines(rows: alt.Chart, what: str, **look: Any) -> Any:
        marks = rows.transform_calculate(what=f"'{what}'").mark_line(clip=True, **look)
        return marks.encode(x=x, y=y, color=color, strokeDash=dash)

    # Many short pieces, each held within sight: a line that has run away keeps its slope.
    grid = alt.Chart(alt.sequence(0, 1.01 * RIGHT, RIGHT / 80, as_="x"))
    true = grid.transform_calculate(y=f"{SLOPE} * datum.x + {OFFSET}")
    w, b = timeline.now("stream_w"), timeline.now("stream_b")
    here = grid.transform_calculate(y=f"clamp({w} * datum.x + {b}, {-TOP}, {2 * TOP})")
    before = alt.Chart(alt.NamedData("before")).transform_filter(_reached(timeline))
    place = {name: timeline.now(f"stream_{name}0", further="datum.i") for name in "xy"}
    points = (
        alt.Chart(alt.sequence(0, SHOWN, as_="i"))
        .transform_calculate(**place)
        .transform_filter("isFinite(datum.x)")
        .mark_circle(color=DATA, size=mark(70), opacity=1, clip=True)
        .encode(x=x, y=y)
    )
    thin = lines(before, names[1], strokeWidth=sized(1, 2)).encode(detail="batch:N")
    return drawing(
        alt.layer(thin, points, lines(here, names[2]), lines(true, names[0])),
        title="The line",
        description="The batch's points, the line now and every 1000 batches, the true line.",
    )


@picture
def loss(stream: Settings, trace: Trace, timeline: Timeline) -> Filling:
    """The loss of single batches, their running mean, and what noise leaves to the true line."""
    rows, floor = thinned(trace)[["batch", "loss", "mean"]], stream.batch * NOISE**2 / 2
    low = min(float(rows["loss"].quantile(0.01)), floor / 3)
    axes = _axes(low, 2 * float(rows["mean"].max()), last=len(trace) - 1)
    return {"rows": rows, "level": _level(floor, f"noise alone: {floor:g}")}, axes


@loss.drawing
def _draw_loss(timeline: Timeline) -> Drawing:
    x, y = _encodings("loss")
    dots = _rows().mark_circle(color=QUIET, opacity=0.4, size=mark(14), clip=True)
    return drawing(
        dots.encode(x=x, y=y("loss")) + _curve(timeline, "mean", dot="loss", color=DATA),
        title=f"Loss, and its mean over {MEAN_OVER}",
        description=(
            "The loss of single batches, their running mean, and the mean loss of the true line."
        ),
    )


@picture
def distance(stream: Settings, trace: Trace, timeline: Timeline) -> Filling:
    """How far (w, b) is from the truth, and about how near noise lets it stay."""
    rows, near = thinned(trace)[["batch", "distance"]], level(stream).distance
    # The lower end is the same for all streams: one that stays nearer is to be seen lower.
    axes = _axes(0.004, 2 * float(rows["distance"].max()), last=len(trace) - 1)
    return {"rows": rows, "level": _level(near, f"settles at {near:.3f}")}, axes


@distance.drawing
def _draw_distance(timeline: Timeline) -> Drawing:
    return drawing(
        _curve(timeline, "distance", dot="distance", color=MODEL),
        title=f"The distance from ({SLOPE:g}, {OFFSET:g})",
        description=(
            "How far (w, b) is from the truth, batch by batch: it falls, then wanders about a "
            "level."
        ),
    )


def _curve(timeline: Timeline, curve: str, *, dot: str, color: str) -> Any:
    """A curve over the stream, with its level, and a dot for the batch shown, on the axis `dot`."""
    x, y = _encodings(dot)
    look: dict[str, Any] = {"color": MODEL, "clip": True, "strokeWidth": sized(1.5, 3)}
    here = (
        frame(timeline, "stream_", "batch", dot)
        .transform_filter(f"isFinite(datum.{dot})")
        .transform_calculate(**{dot: f"clamp(datum.{dot}, low, high)"})  # in sight, at the edge
        .mark_circle(color=color, size=mark(140), opacity=1)
    )
    legend = alt.Legend(symbolType="stroke", symbolDash=[6, 4], symbolSize=400, labelLimit=0)
    label = alt.Color("label:N", scale=alt.Scale(range=[BEST]), legend=legend)
    level = alt.Chart(alt.NamedData("level")).mark_rule(strokeDash=[6, 4])
    walked = _rows().transform_filter(_reached(timeline)).mark_line(**look)
    return alt.layer(
        _rows().mark_line(opacity=0.35, **look).encode(x=x, y=y(curve)),
        walked.encode(x=x, y=y(curve)),
        level.encode(y=y("y"), color=label),
        here.encode(x=x, y=y(dot)),
    )


def _rows() -> alt.Chart:
    return alt.Chart(alt.NamedData("rows"))


def _encodings(title: str) -> tuple[alt.X, Callable[[str], alt.Y]]:
    scale = between("low", "high", type="log")
    short = "format(datum.value, datum.value < 1e5 ? '~g' : '.0e')"
    powers = alt.Axis(values=alt.ExprRef("ticks"), labelExpr=short)
    x = alt.X("batch:Q", title="batch", scale=between("0", "last"), axis=WHOLE_LABELS)
    return x, lambda field: alt.Y(f"{field}:Q", title=title, scale=scale, axis=powers)


def _level(height: float, label: str) -> pd.DataFrame:
    """One row, or none where the stream does not settle."""
    return pd.DataFrame({"y": [height], "label": [label]}).dropna()


def _axes(low: float, high: float, *, last: int) -> dict[str, Any]:
    return {"low": low, "high": high, "last": last, "ticks": decades(low, high)}


def _reached(timeline: Timeline) -> str:
    return f"datum.batch <= {timeline.now('stream_batch')}"
