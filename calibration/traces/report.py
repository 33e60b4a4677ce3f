"""Scores of traces for the eye: lines for the terminal, JSON, and one self-contained page."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from calibration.pages import new_figure, or_na, or_none, page, svg
from calibration.traces.intervals import LEVEL
from calibration.traces.scores import (
    FARTHEST,
    MEASURES,
    FileScores,
    Scores,
    TraceScores,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHORT = {"sign agreement": "sign"}
INK = {"gold": "#222222", "predicted": "#d1495b"}


def as_text(scores: TraceScores) -> str:
    """Aligned lines: every score beside what the constant answer gets; then a line per file."""
    lines = list(scores.notes)
    together = len(scores.files) > 1
    for pooled in scores.pooled:
        with_it = sum(s.axis == pooled.axis for file in scores.files for s in file.scores)
        where = f"{with_it} of {len(scores.files)} files" if together else scores.files[0].name
        lines += ["", *_block(pooled, where, scores.sampling.rate)]
    if together:
        for pooled in scores.pooled:
            lines += ["", *_file_lines(scores.files, pooled.axis)]
    lines += ["", *_method(scores)]
    return "\n".join(lines).lstrip("\n")


def as_json(scores: TraceScores) -> dict[str, Any]:
    """The same as plain values; a score that is not defined is null."""
    return {
        "rate_hz": scores.sampling.rate,
        "hold_s": scores.sampling.hold if math.isfinite(scores.sampling.hold) else None,
        "interval": {"level": LEVEL, "block_s": scores.block},
        "notes": list(scores.notes),
        "pooled": {s.axis: _plain(s) for s in scores.pooled},
        "files": {file.name: {s.axis: _plain(s) for s in file.scores} for file in scores.files},
    }


def as_html(scores: TraceScores, title: str) -> str:
    """One page with the table, and the traces of every file drawn over each other."""
    parts = [f"<pre>{escape(as_text(scores))}</pre>"]
    for file in scores.files:
        parts += [f"<h2>{escape(file.name)}</h2>", svg(_trace_figure(file))]
    return page(title, parts, "svg{max-width:100%;height:auto}")


def _trace_figure(file: FileScores) -> Figure:
    """One panel per axis, over the film's own time. A gap in a line: no value there."""
    figure = new_figure(9.6, 2.6 * len(file.series))
    panels = figure.subplots(len(file.series), 1, sharex=True, squeeze=False)[:, 0]
    for panel, (axis, pair), scores in zip(panels, file.series.items(), file.scores, strict=True):
        for (word, ink), series in zip(reversed(INK.items()), pair, strict=True):
            panel.plot(file.clock, series, color=ink, linewidth=1.2, label=word)
        panel.axhline(0, color="#bbbbbb", linewidth=0.8, zorder=0)
        panel.set_title(f"CCC {_with_interval(scores, 'CCC')}", loc="left", fontsize=10)
        panel.set_ylabel(axis)
        panel.margins(x=0)
    panels[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    panels[-1].set_xlabel("time of the film (s)")
    return figure


def _block(scores: Scores, where: str, rate: float) -> list[str]:
    seconds = scores.n / rate
    title = f"{scores.axis}, {where}, n {scores.n} ({seconds:.1f} s)"
    lines = [f"{title:<46}    ours  {LEVEL:.0%} interval      constant (mean)"]
    for name, value in scores.ours.items():
        interval = f"{_interval(scores.interval[name]):<18}"
        constant = or_na(scores.constant[name])
        lines.append(f"{name:<46}{or_na(value):>8}  {interval}{constant:>8}")
    lag = or_na(scores.lag, 2)
    return [*lines, f"{'best lag, s (late is positive)':<46}{lag:>8}  {_at_lag(scores)}".rstrip()]


def _file_lines(files: tuple[FileScores, ...], axis: str) -> list[str]:
    width = max(16, *(len(file.name) for file in files))
    names = [SHORT.get(name, name) for name in MEASURES if name != "CCC"]
    first = f"{axis + ' by file':<{width}}  {'n':>6}  {'CCC':>7} {'interval':<16}"
    lines = [first + "".join(f"{name:>9}" for name in names) + f"{'lag s':>8}"]
    for file in files:
        for s in (s for s in file.scores if s.axis == axis):
            for label, values in ((file.name, s.ours), ("  constant mean", s.constant)):
                ours = values is s.ours
                count, lag = (str(s.n), or_na(s.lag, 2)) if ours else ("", "")
                interval = _interval(s.interval["CCC"], 2) if ours else ""
                rest = "".join(f"{or_na(values[n], 3):>9}" for n in MEASURES if n != "CCC")
                start = f"{label:<{width}}  {count:>6}  {or_na(values['CCC'], 3):>7} "
                lines.append(f"{start}{interval:<16}{rest}{lag:>8}".rstrip())
    return lines


def _method(scores: TraceScores) -> list[str]:
    return [
        f"both traces at {scores.sampling.rate:g} Hz: the last value at or before each moment, "
        f"none older than {scores.sampling.hold:g} s.",
        f"intervals: {LEVEL:.0%}, by drawing blocks of {scores.block:g} s again and again; "
        "n/a: not defined, or too short to say.",
    ]


def _at_lag(scores: Scores) -> str:
    if math.isnan(scores.lag):
        return f"no peak within {FARTHEST:g} s"
    return f"Pearson there {scores.lag_pearson:.4f}"


def _with_interval(scores: Scores, name: str) -> str:
    """The interval is left out where it is not defined: the table says so already."""
    interval = scores.interval[name]
    known = "" if math.isnan(interval[0]) else f" {_interval(interval, 2)}"
    return f"{or_na(scores.ours[name], 3)}{known}"


def _interval(ends: tuple[float, float], decimals: int = 3) -> str:
    return "n/a" if math.isnan(ends[0]) else f"[{ends[0]:.{decimals}f}, {ends[1]:.{decimals}f}]"


def _plain(s: Scores) -> dict[str, Any]:
    return {
        "n": s.n,
        "ours": {name: or_none(value) for name, value in s.ours.items()},
        "interval": {
            name: None if math.isnan(ends[0]) else list(ends) for name, ends in s.interval.items()
        },
        "constant": {name: or_none(value) for name, value in s.constant.items()},
        "lag_s": or_none(s.lag),
        "pearson_at_lag": or_none(s.lag_pearson),
    }
