"""RECOLA (Ringeval et al. 2013) in the layout of the AV+EC 2015 challenge (Ringeval et al. 2015).

    ratings_individual/{arousal,valence}/{train,dev,test}_N.csv   time and six raters, every 0.04 s
    recordings_video/{train,dev,test}_N.mp4

The owners give the data to those who sign their agreement; it is not here. Ratings and frames
meet by time, never by row number. Read `read_recordings` first.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATERS = ("FM1", "FM2", "FM3", "FF1", "FF2", "FF3")  # three men and three women
SPLITS = ("train", "dev", "test")
DIMENSIONS = ("arousal", "valence")
WITHHELD = "test"  # the challenge kept these ratings: videos without any are read all the same
NEAR = 0.1  # s; no rating is invented farther from the ones that were given
_NAME = re.compile(rf"({'|'.join(SPLITS)})_(\d+)")


class RecolaError(ValueError):
    """Data that is not in the layout above. The message names the file, and the line if any."""


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """What each rater said of one recording. No rows: nobody was asked."""

    times: NDArray[np.float64]  # (n,), s on the video's clock, rising
    values: NDArray[np.float64]  # (n, 6), -1..1, in the order of RATERS

    def of_frames(self, pts: NDArray[np.float64], delay: float) -> NDArray[np.float64]:
        """(m, 6): what was rated `delay` s after each frame; nan where nothing is near.

        Raters react late (Mariooryad and Busso 2015), so the value given at pts + delay is about
        the frame at pts. Between two ratings it is interpolated.
        """
        asked = np.asarray(pts, np.float64) + delay
        if not len(self.times):
            return np.full((len(asked), len(RATERS)), np.nan)
        columns = [np.interp(asked, self.times, column) for column in self.values.T]
        after = np.searchsorted(self.times, asked).clip(0, len(self.times) - 1)
        gaps = [abs(self.times[row] - asked) for row in (after, (after - 1).clip(0))]
        joined = np.stack(columns, 1)
        joined[np.minimum(*gaps) > NEAR] = np.nan
        return joined


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One person's video and its ratings."""

    name: str  # split_N
    split: str  # of SPLITS
    video: Path
    ratings: Ratings


def read_recordings(root: Path, dimension: str) -> list[Recording]:
    """All recordings below `root`, by split and number. dimension: of DIMENSIONS.

    Raises RecolaError naming file and line: a missing folder, video, rating file or column, time
    that does not rise, a value that is no number in -1..1.
    """
    tables = _files(root / "ratings_individual" / dimension, ".csv")
    videos = _files(root / "recordings_video", ".mp4")
    for name, path in tables.items():
        if name not in videos:
            raise RecolaError(f"{path}: its video {name}.mp4 is missing in recordings_video")
    recordings = []
    for name, video in videos.items():
        split = name.split("_")[0]
        if name in tables:
            ratings = read_ratings(tables[name])
        elif split == WITHHELD:
            ratings = Ratings(np.empty(0), np.empty((0, len(RATERS))))
        else:
            raise RecolaError(f"{video}: its {dimension} ratings {name}.csv are missing")
        recordings.append(Recording(name, split, video, ratings))
    return recordings


def read_ratings(path: Path) -> Ratings:
    """One table, its cells parted by semicolons or commas; other columns are left alone.

    Raises RecolaError naming file and line.
    """
    rows: list[list[float]] = []
    for line, cells in _cells(path):
        where = f"{path.name}, line {line}"
        row = [_number(cells[name], name, where) for name in ("time", *RATERS)]
        for name, value in zip(RATERS, row[1:], strict=True):
            if not -1 <= value <= 1:
                raise RecolaError(f"{where}: {name} is {value:g}, outside -1..1")
        if rows and row[0] <= rows[-1][0]:
            raise RecolaError(f"{where}: time {row[0]:g} s after {rows[-1][0]:g} s does not rise")
        rows.append(row)
    if not rows:
        raise RecolaError(f"{path.name}: no ratings below the header")
    whole = np.array(rows)
    return Ratings(whole[:, 0], whole[:, 1:])


def _cells(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line numbers and cells by column; lines without anything are passed over."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=";" if ";" in first else ",")
            header = [cell.strip() for cell in next(reader, [])]
            for name in ("time", *RATERS):
                if name not in header:
                    raise RecolaError(f"{path.name}, line 1: no column {name!r}, only {header}")
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) < len(header):
                    short = f"{len(cells)} cells, the header has {len(header)}"
                    raise RecolaError(f"{path.name}, line {reader.line_num}: {short}")
                yield reader.line_num, dict(zip(header, cells, strict=False))
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        raise RecolaError(f"{path}: not a readable table ({wrong})") from wrong


def _number(cell: str, name: str, where: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RecolaError(f"{where}: {name} is {cell.strip()!r}, not a number")
    return value


def _files(folder: Path, suffix: str) -> dict[str, Path]:
    """Files split_N of a folder, in the order of SPLITS and N."""
    if not folder.is_dir():
        raise RecolaError(f"{folder}: no such folder")
    found: list[tuple[int, int, Path]] = []
    for path in folder.glob(f"*{suffix}"):
        match = _NAME.fullmatch(path.stem)
        if match is None:
            raise RecolaError(f"{path}: not named split_N with a split of {', '.join(SPLITS)}")
        found.append((SPLITS.index(match[1]), int(match[2]), path))
    if not found:
        raise RecolaError(f"{folder}: no {suffix} files")
    return {path.stem: path for _, _, path in sorted(found)}
