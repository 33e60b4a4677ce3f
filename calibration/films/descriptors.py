"""Labels and descriptors of one film of MediaEval 2018, second by second. Read `read_film` first.

Row k holds what is known k seconds into the film, from k = 1 on. Both public readers of the set
put row k of the labels beside picture k, so the label of the first time stands in row 1.

Pictures were taken once a second. The sound's descriptors are of five seconds with second k in
their middle, so they are known 2.5 s later only: row k takes those of k - 3. (Read as they are
numbered, as the post and most entries did, they tell 2.5 s of the future.)

Known holes in the set: a sound file of film 6, most of fc6 and jcd of film 18, an empty cl file of
film 27, labels for 100 s of film 46 only. What is missing is nan here, and no film is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.films.layout import FilmError, FilmFiles
from calibration.traces.files import read_traces
from calibration.traces.series import AXES

VISUAL = {  # numbers in each; LIRE's global features (Lux and Chatzichristofis 2008), VGG16's fc6
    "acc": 256,
    "cedd": 144,
    "cl": 33,
    "eh": 80,
    "fcth": 192,
    "gabor": 60,
    "jcd": 168,
    "sc": 64,
    "tamura": 18,
    "lbp": 256,
    "fc6": 4096,
}
AUDIO = 1582  # openSMILE's emobase2010: 34 + 34 contours x 21, 8 pitch contours x 19, 2 more
WIDTHS = {**VISUAL, "audio": AUDIO}
WIDTH = sum(WIDTHS.values())
SOUND_LATER = 3  # s from the middle of a sound window until all of it is past, in whole seconds

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """One film, a row for each second."""

    name: str
    x: Array  # (n, width) what is known then; nan: missing
    affect: Array  # (n, 2) valence, arousal, -1..1; nan where nobody rated


def read_labels(path: Path) -> NDArray[np.float32]:
    """(n, 2): valence and arousal of each second. Header `Time Valence Arousal`, tabs between.

    Raises TraceError naming file and line, FilmError if times are not whole seconds apart.
    """
    traces = read_traces(path).traces
    missing = [axis for axis in AXES if axis not in traces]
    if missing:
        raise FilmError(f"{path}: no {' and no '.join(missing)}")
    first = min(traces[axis].pts[0] for axis in AXES)
    rows = {axis: traces[axis].pts - first for axis in AXES}
    last = max(row[-1] for row in rows.values())
    affect = np.full((round(last) + 1, 2), np.nan, np.float32)
    for column, axis in enumerate(AXES):
        seconds = np.rint(rows[axis]).astype(int)
        off = np.abs(rows[axis] - seconds)
        if off.max() > 0.01:
            wrong = traces[axis].pts[off.argmax()]
            raise FilmError(f"{path}: {axis} at {wrong:g} s, not whole seconds after {first:g} s")
        affect[seconds, column] = traces[axis].values
    if np.nanmax(np.abs(affect)) > 1:
        raise FilmError(f"{path}: a label of {np.nanmax(np.abs(affect)):g}, outside -1..1")
    return affect


def read_film(files: FilmFiles) -> Film:
    """All descriptors of a film's labelled seconds.

    Raises FilmError naming a file that is no descriptor of its kind, or a film without any.
    """
    if files.visual is None and files.audio is None:
        raise FilmError(f"{files.name}: labels, but neither visual nor audio descriptors")
    affect = read_labels(files.labels)
    x = np.full((len(affect), WIDTH), np.nan, np.float32)
    for name, block in _blocks(x):
        for row in range(_later(name), len(affect)):
            path = _path(files, name, row + 1 - _later(name))
            if path is not None and path.is_file():
                block[row] = _read(path, WIDTHS[name], arff=name == "audio")
    return Film(files.name, x, affect)


def missing(film: Film) -> list[str]:
    """What a film's descriptors lack, in words."""
    notes = []
    for name, block in _blocks(film.x):
        lost = int(np.isnan(block[_later(name) :, 0]).sum())
        if lost:
            notes.append(f"{film.name}: {name} missing in {lost} of {len(block)} s")
    return notes


def _blocks(x: Array) -> Iterator[tuple[str, Array]]:
    """Each descriptor's columns, to read or to write."""
    start = 0
    for name, width in WIDTHS.items():
        yield name, x[:, start : start + width]
        start += width


def _later(name: str) -> int:
    return SOUND_LATER if name == "audio" else 0


def _path(files: FilmFiles, name: str, second: int) -> Path | None:
    if name == "audio":
        return files.audio and files.audio / f"{files.name}_{second:05}.csv"
    return files.visual and files.visual / name / f"{files.name}-{second:05}_{name}.txt"


def _read(path: Path, width: int, *, arff: bool) -> Array:
    """(width,); nan if the file is empty."""
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as wrong:
        raise FilmError(f"{path}: not readable text ({wrong})") from wrong
    if not lines:
        return np.full(width, np.nan, np.float32)
    cells = _data(lines, path) if arff else lines[0].rstrip(",").split(",")
    if len(cells) != width:
        raise FilmError(f"{path}: {len(cells)} numbers, expected {width}")
    try:
        return np.array([np.nan if c.strip() == "?" else float(c) for c in cells], np.float32)
    except ValueError as wrong:
        raise FilmError(f"{path}: {wrong}") from wrong


def _data(lines: list[str], path: Path) -> list[str]:
    """The numbers of openSMILE's ARFF: the row below @data, between the name and the class."""
    for number, line in enumerate(lines[:-1]):
        if line.lower() == "@data":
            return lines[number + 1].split(",")[1:-1]
    raise FilmError(f"{path}: no row below @data")
