"""Continuous ratings of one film from the files that rating tools and data sets write.

Read `read_ratings` first. Whose rating a column is follows from its name, from a column, or from
the file's name; which axis it is, too. Ratings are -1..1, or on the scale that their file states.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from calibration.raters.carma import is_carma, read_carma
from calibration.raters.elan import TIER, VALUE, WHO, bare_elan, frames_alone, times_of
from calibration.raters.gtrace import is_gtrace, read_gtrace
from calibration.traces.series import AXES, SAME, Trace
from calibration.traces.tables import Row, Table, TraceError, open_table

RATER = ("rater", "annotator", "participant", "coder", "observer")
AXIS, RATING = ("axis", "dimension"), ("value", "rating")  # of tables with a row per rating
NO_RATERS = {"std", "stdev", "sd", "frame", "name", "file", "video"}  # columns beside ratings
SPLIT = re.compile(r"[\s_@:.-]+")

Ratings = dict[str, dict[str, Trace]]  # axis -> rater -> trace


@dataclass(frozen=True, slots=True)
class _Sample:
    """One rating as its file states it."""

    axis: str
    rater: str
    pts: float  # s; nan where there is no value
    value: float | None  # None: the cell is empty
    line: int
    end: float | None = None  # s, of an interval


def read_ratings(paths: Sequence[Path]) -> tuple[Ratings, list[str]]:
    """All raters of all files, which are of one film; and a line for each who is left out.

    Layouts: docs/evaluation.md. Raises TraceError naming file and line: a rating that is no
    number or outside -1..1, times that step back, one rater's axis in two files.
    """
    found: Ratings = {axis: {} for axis in AXES}
    origin: dict[tuple[str, str], Path] = {}
    notes: list[str] = []
    for path in paths:
        without: dict[str, list[str]] = defaultdict(list)  # rater -> axes
        for (axis, rater), samples in _read_file(path).items():
            if not samples:
                without[rater].append(axis)
                continue
            if rater in found[axis]:
                first = origin[axis, rater]
                raise TraceError(f"{path}: {axis} of rater {rater} is in {first} already")
            found[axis][rater] = _trace(samples)
            origin[axis, rater] = path
        notes += [f"{path}: rater {who}: no {' and no '.join(of)}" for who, of in without.items()]
        if not without and path not in origin.values():
            notes.append(f"{path}: no rating")
    kept = {axis: raters for axis, raters in found.items() if raters}
    if not kept:
        raise TraceError(f"{', '.join(map(str, paths))}: no rating")
    return kept, notes


def _read_file(path: Path) -> dict[tuple[str, str], list[_Sample]]:
    """By axis and rater; nothing of one who is in the file without a rating."""
    if is_gtrace(path):
        axis, rater, rows = read_gtrace(path)
        return _sorted(path, _listed(axis, rater, rows))
    if is_carma(path):
        axis, rater = _axis_of(path), split_name(path.stem)[1] or path.stem
        return _sorted(path, _listed(axis, rater, read_carma(path)))
    bare = bare_elan(path)
    with open_table(path, bare.header, bare.skip) as table:
        return _sorted(path, _layout(table, path))


def _listed(axis: str, rater: str, rows: Iterator[tuple[int, float, float]]) -> Iterator[_Sample]:
    """What a file of one rater holds, who is named even if it is nothing."""
    yield _Sample(axis, rater, math.nan, None, 0)
    yield from (_Sample(axis, rater, pts, value, line) for line, pts, value in rows)


def _layout(table: Table, path: Path) -> Iterator[_Sample]:
    """The samples of a table, by the layout that its header tells."""
    if times_of(table.header) is not None:
        return _elan(table, path)
    time = table.time_column()
    if time is None:
        frames = frames_alone([*table.header, *next((row.cells for row in table.rows()), ())])
        if frames is not None:
            raise TraceError(f"{path}: {frames}")
        raise TraceError(f"{path}, line 1: no column of times, only {', '.join(table.header)}")
    rater = table.column(*RATER)
    if rater is not None:
        return _long(table, time, rater)
    return _wide(table, time, path)


def _long(table: Table, time: int, rater: int) -> Iterator[_Sample]:
    """A row per rater and moment, or per rater, moment and axis; rows of another axis are left."""
    found = {axis: table.column(axis) for axis in AXES}
    axes = {axis: column for axis, column in found.items() if column is not None}
    which, value = table.column(*AXIS), table.column(*RATING)
    if not axes and (which is None or value is None):
        raise TraceError(f"{table.name}, line 1: neither 'valence' nor 'arousal'")
    for row in table.rows():
        name = row.cells[rater].strip()
        if not name:
            raise table.wrong(row, rater, "not a rater's name")
        here = axes
        if not axes and which is not None and value is not None:
            axis = row.cells[which].strip().lower()
            here = {axis: value} if axis in AXES else {}
        for axis, column in here.items():
            yield _sample(table, row, time, column, axis, name)


def _wide(table: Table, time: int, path: Path) -> Iterator[_Sample]:
    """A row per moment: RECOLA, LIRIS-ACCEDE's means, or one rater's table.

    Where columns name their axis, those that do not are of something else.
    """
    names = {
        i: name
        for i, name in enumerate(table.header)
        if i != time and name and name.lower() not in NO_RATERS
    }
    parts = {i: split_name(name) for i, name in names.items()}
    columns = {
        i: (axis, rater or path.stem)
        for i, (axis, rater) in parts.items()
        if axis and rater.lower() not in NO_RATERS
    }
    if not columns:
        columns = {i: (_axis_of(path), name) for i, name in names.items()}
    if not columns:
        raise TraceError(f"{path}, line 1: no column of ratings, only {', '.join(table.header)}")
    for row in table.rows():
        for i, (axis, rater) in columns.items():
            yield _sample(table, row, time, i, axis, rater)


def _elan(table: Table, path: Path) -> Iterator[_Sample]:
    """ELAN's exports: intervals, whose annotation is the rating.

    With a column Tier each row is an annotation; else every tier has a column. Tiers whose name
    has no axis in it are of something else.
    """
    begin, end, unit = times_of(table.header) or (0, None, 1.0)
    if end is None:
        raise TraceError(f"{path}, line 1: no end beside {table.header[begin]!r}")
    tier, who, value = (table.column(name) for name in (TIER, WHO, VALUE))
    for row in table.rows():
        columns = range(len(table.header)) if tier is None else (value,)
        start, stop = (table.seconds(row, column) * unit for column in (begin, end))
        if stop < start:
            raise table.wrong(row, end, f"before its begin, {start:g} s")
        for i in (column for column in columns if column is not None):
            axis, rater = split_name(table.header[i] if tier is None else row.cells[tier])
            if not axis:
                continue
            named = row.cells[who].strip() if who is not None else ""
            s = _sample(table, row, begin, i, axis, rater or named or path.stem)
            yield replace(s, pts=start, end=stop)


def _sample(table: Table, row: Row, time: int, column: int, axis: str, rater: str) -> _Sample:
    value = table.number(row, column)
    if value is None:
        return _Sample(axis, rater, math.nan, None, row.line)
    if not -1 <= value <= 1:
        raise table.wrong(row, column, "outside -1..1")
    return _Sample(axis, rater, table.seconds(row, time), value, row.line)


def split_name(name: str) -> tuple[str, str]:
    """Axis and rater of a name: ben_valence, valence_ben, "Valence ben". "" for what it lacks."""
    words = [word for word in SPLIT.split(name.strip()) if word]
    axis = next((word.lower() for word in words if word.lower() in AXES), "")
    return axis, "_".join(word for word in words if word.lower() != axis)


def _axis_of(path: Path) -> str:
    """The axis in the name of a file, else of its folder. Raises TraceError if there is none."""
    for name in (path.stem, path.resolve().parent.name):
        words = {word.lower() for word in SPLIT.split(name)} & set(AXES)
        if len(words) == 1:
            return words.pop()
    raise TraceError(
        f"{path}: neither its columns nor the names of file and folder say valence or arousal"
    )


def _sorted(path: Path, samples: Iterator[_Sample]) -> dict[tuple[str, str], list[_Sample]]:
    """By axis and rater, those with a value."""
    kept: dict[tuple[str, str], list[_Sample]] = defaultdict(list)
    for sample in samples:
        before = kept[sample.axis, sample.rater]
        if sample.value is None:
            continue
        if before and sample.pts < before[-1].pts - SAME:
            raise TraceError(
                f"{path}, line {sample.line}: {sample.pts:g} s of rater {sample.rater} is before "
                f"the {before[-1].pts:g} s above it"
            )
        before.append(sample)
    return kept


def _trace(rows: list[_Sample]) -> Trace:
    pts, values = np.array([r.pts for r in rows]), np.array([r.value for r in rows])
    ends = [r.end for r in rows]
    return Trace(pts, values, None if None in ends else np.array(ends, np.float64))
