"""A table of readings as each rater would have scored them: two columns more for each rater."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping

from calibration.raters.fit import RaterFit
from calibration.traces.files import face_name, find_layout, seen_nobody
from calibration.traces.series import AXES, SAME
from calibration.traces.tables import Row, Table

DECIMALS = 4

Past = list[tuple[float, dict[str, float | None]]]  # s, and the values of both axes


def as_raters(table: Table, raters: Mapping[str, RaterFit], hold: float) -> Iterator[list[str]]:
    """The header, then row by row: gain * value(t - delay) + offset, clipped to -1..1.

    value(t - delay) is the same face's last one by then, if it is not older than `hold` seconds;
    else, and until a face is `delay` seconds old, the cell is empty. Keeps of each face what the
    longest delay needs. Faces whose time steps back start afresh.
    """
    layout = find_layout(table)
    columns = [(axis, name) for name, fit in raters.items() for axis in AXES if axis in fit.axes]
    yield [*table.written, *(f"{axis}_{name}" for axis, name in columns)]
    longest = max(fit.delay for fit in raters.values()) + hold
    faces: dict[str, Past] = {}
    source = ""
    for row in table.rows():
        film = "" if layout.source is None else row.cells[layout.source]
        if film != source:
            faces, source = {}, film
        past = faces.setdefault(face_name(table, row, layout.face), [])
        pts = table.seconds(row, layout.time)
        if not seen_nobody(table, row, layout.success):
            _remember(past, pts, _values(table, row, layout.axes), longest)
        found = (_scored(past, pts, raters[name], axis, hold) for axis, name in columns)
        yield [
            *row.cells,
            *("" if v is None else f"{round(v, DECIMALS) + 0.0:.{DECIMALS}f}" for v in found),
        ]


def _values(table: Table, row: Row, axes: Mapping[str, int]) -> dict[str, float | None]:
    return {axis: table.number(row, column) for axis, column in axes.items()}


def _remember(past: Past, pts: float, values: dict[str, float | None], longest: float) -> None:
    if past and pts < past[-1][0] - SAME:
        past.clear()
    if any(value is not None for value in values.values()):
        past.append((pts, values))
    del past[: _up_to(past, pts - longest - SAME)]


def _scored(past: Past, pts: float, fit: RaterFit, axis: str, hold: float) -> float | None:
    then = pts - fit.delay
    for when, values in reversed(past[: _up_to(past, then + SAME)]):
        value = values.get(axis)
        if then - when > hold + SAME:
            return None
        if value is not None:
            line = fit.axes[axis]
            return max(-1.0, min(1.0, line.gain * value + line.offset))
    return None


def _up_to(past: Past, pts: float) -> int:
    """How many values are not later than `pts`."""
    return bisect_right(past, pts, key=lambda one: one[0])
