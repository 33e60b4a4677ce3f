"""Valence and arousal over time from tables: ours, OpenFace-shaped, py-feat's, and plain ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from calibration.metrics import Vector
from calibration.traces.series import AXES, SAME, Trace
from calibration.traces.tables import Row, Table, TraceError, open_table

SUFFIXES = (".csv", ".tsv", ".txt")
FACE = ("face_id", "Identity", "FaceID", "face")
SOURCE = ("source", "input")
OF_ALL = ("scene_", "audio_")  # columns that say nothing of the face in their row


@dataclass(frozen=True, slots=True, eq=False)
class TraceFile:
    """What one table says of one face."""

    name: str  # as given
    traces: dict[str, Trace]  # by axis: those it has
    notes: tuple[str, ...]  # what was decided for its reader


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns are. None: there is no such column."""

    time: int
    axes: dict[str, int]
    face: int | None
    success: int | None
    source: int | None
    frame: int | None  # only where times are whole seconds (py-feat)
    of_all: bool = False  # the axes say nothing of the face in their row


@dataclass(slots=True)
class _Seen:
    """One face, as far as the table was read."""

    pts: list[float] = field(default_factory=list)
    again: int = 0  # rows with the time of the one before
    frames: list[float] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def find_layout(table: Table, columns: Sequence[str] = AXES) -> Layout:
    """columns: the names of valence and arousal. One of them is enough.

    Raises TraceError naming what is not there.
    """
    time, frame = table.time_column(), None
    if time is None:
        time, frame = table.column("approx_time"), table.column("frame")
    if time is None:
        raise TraceError(f"{table.name}, line 1: no column of times, only {_listed(table)}")
    found = {axis: table.column(name) for axis, name in zip(AXES, columns, strict=True)}
    axes = {axis: column for axis, column in found.items() if column is not None}
    if not axes:
        wanted = " or ".join(map(repr, columns))
        raise TraceError(f"{table.name}, line 1: no column {wanted}, only {_listed(table)}")
    source = table.column(*SOURCE)
    if all(table.header[column].lower().startswith(OF_ALL) for column in axes.values()):
        return Layout(time, axes, None, None, source, frame, of_all=True)
    return Layout(time, axes, table.column(*FACE), table.column("success"), source, frame)


def face_name(table: Table, row: Row, column: int | None) -> str:
    """The face of a row: 0 and 0.0 are one; without such a column it has no name."""
    if column is None:
        return ""
    text = row.cells[column].strip()
    return text.removesuffix(".0") if text.removesuffix(".0").isdigit() else text


def seen_nobody(table: Table, row: Row, success: int | None) -> bool:
    """OpenFace leaves stale values in rows whose `success` is 0."""
    return success is not None and table.number(row, success) == 0


def repeated(rows: int, face: str) -> str:
    """Words for rows that share a time with another of the same face; "": a face without a name."""
    doubt = "" if face else " (several people without a face_id?)"
    return f"{rows} row{'s' * (rows != 1)} with the time of the one above{doubt}"


def read_traces(path: Path, *, columns: Sequence[str] = AXES, face: str | None = None) -> TraceFile:
    """face: whose rows to take; by default the face with the most.

    Rows without a value are passed over. Raises TraceError naming file and line: times that step
    back, several sources in one table, a face that is not there.
    """
    with open_table(path) as table:
        layout = find_layout(table, columns)
        faces = _read_faces(table, layout)
    if not faces:
        raise TraceError(f"{path}: no row has a value of {' or '.join(columns)}")
    chosen, notes = _choose(str(path), faces, face)
    seen = faces[chosen]
    pts = np.array(seen.pts)
    for axis, column in zip(AXES, columns, strict=True):
        if axis not in layout.axes and column != axis:  # asked for by name
            notes.append(f"{path}: no column {column!r}, so no {axis}")
    if layout.frame is not None:
        pts, said = _between_seconds(pts, np.array(seen.frames))
        notes.append(f"{path}: {said}")
    elif seen.again and not layout.of_all:
        notes.append(f"{path}: {repeated(seen.again, chosen)}; of one time the last row counts")
    traces = {axis: _finite(pts, np.array(seen.values[axis])) for axis in layout.axes}
    kept = {axis: trace for axis, trace in traces.items() if len(trace.pts)}
    return TraceFile(str(path), kept, tuple(notes))


def pair_files(predictions: Path, gold: Path) -> tuple[list[tuple[str, Path, Path]], list[str]]:
    """(name, prediction, gold) of two files, or of the equal stems of two folders; and notes.

    Raises TraceError if nothing pairs.
    """
    if predictions.is_dir() != gold.is_dir():
        raise TraceError(f"{predictions} and {gold}: give two files or two folders")
    if not predictions.is_dir():
        return [(predictions.stem, predictions, gold)], []
    ours, theirs = _by_stem(predictions), _by_stem(gold)
    both = sorted(ours.keys() & theirs.keys())
    if not both:
        raise TraceError(f"{predictions} and {gold}: no two tables of equal names")
    left = [str(ours[stem]) for stem in sorted(ours.keys() - theirs.keys())]
    left += [str(theirs[stem]) for stem in sorted(theirs.keys() - ours.keys())]
    notes = [f"left out, without a partner: {', '.join(left)}"] if left else []
    return [(stem, ours[stem], theirs[stem]) for stem in both], notes


def _read_faces(table: Table, layout: Layout) -> dict[str, _Seen]:
    faces: dict[str, _Seen] = defaultdict(_Seen)
    source = ""
    for row in table.rows():
        if layout.source is not None:
            name = row.cells[layout.source].strip()
            if source and name != source:
                raise table.wrong(row, layout.source, f"after {source!r}: one table per film")
            source = name
        face = face_name(table, row, layout.face)
        values = {axis: table.number(row, column) for axis, column in layout.axes.items()}
        pts = table.seconds(row, layout.time)
        if seen_nobody(table, row, layout.success) or all(v is None for v in values.values()):
            continue
        seen = faces[face]
        if seen.pts and pts < seen.pts[-1] - SAME:
            raise table.wrong(row, layout.time, f"before the {seen.pts[-1]:g} s above it")
        seen.again += bool(seen.pts) and pts <= seen.pts[-1] + SAME
        seen.pts.append(pts)
        if layout.frame is not None:
            seen.frames.append(table.number(row, layout.frame) or 0.0)
        for axis, value in values.items():
            seen.values[axis].append(np.nan if value is None else value)
    return faces


def _choose(name: str, faces: dict[str, _Seen], face: str | None) -> tuple[str, list[str]]:
    if face is not None:
        if face not in faces:
            known = ", ".join(sorted(faces.keys() - {""})) or "none with a number"
            raise TraceError(f"{name}: no face {face}; there are {known}")
        return face, []
    most = max(faces, key=lambda key: len(faces[key].pts))  # the first of equals
    if len(faces) == 1:
        return most, []
    rows = len(faces[most].pts)
    return most, [f"{name}: face {most} of {len(faces)}, the one with most rows ({rows})"]


def _between_seconds(seconds: Vector, frames: Vector) -> tuple[Vector, str]:
    """Times of frames whose table tells whole seconds only, and what was done, in words.

    py-feat writes floor(frame / rate), so every row bounds the rate: seconds <= frame / rate <
    seconds + 1. The middle of what all rows allow is taken, if they allow any.
    """
    least = (frames / (seconds + 1)).max()
    most = (frames[seconds > 0] / seconds[seconds > 0]).min(initial=np.inf)
    if not 0 < least < most < np.inf:
        return seconds, "times are whole seconds, and do not follow from the frame numbers"
    rate = (least + most) / 2
    return frames / rate, f"times from frame numbers at {rate:.3f} Hz, which fits its whole seconds"


def _finite(pts: Vector, values: Vector) -> Trace:
    there = np.isfinite(values)
    return Trace(pts[there], values[there])


def _by_stem(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES):
        if path.stem in found:
            raise TraceError(f"{path} and {found[path.stem]}: two tables of one name")
        found[path.stem] = path
    return found


def _listed(table: Table) -> str:
    return ", ".join(table.header)
