"""The scene sets, read from `shared`: OASIS (what pictures evoke) and two sets of places.

OASIS (Kurdi, Lozano and Banaji 2017) rates valence and arousal from 1 to 7, 4 being the middle.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.resize import resized
from tracker.values import Image

SCENES = "data/scenes"  # below shared
MIDDLE, REACH = 4.0, 3.0  # of the 1-7 scale: (x - MIDDLE) / REACH is in [-1, 1]
FOLDS = 5
HELD_OUT = 0  # of five buckets of place pictures: for the scores only
INTEL = ("buildings", "forest", "glacier", "mountain", "sea", "street")
SUN8 = (
    *("aquarium", "desert", "highway", "kitchen", "laundromat", "park", "waterfall", "windmill"),
)
PLACES = (*INTEL, *SUN8)
ELSEWHERE = "elsewhere"  # none of them is seen
TYPES = (*PLACES, ELSEWHERE)
SCENE = "Scenery"  # OASIS' category of what may be any place; objects, animals and people are none
INDOOR = ("aquarium", "kitchen", "laundromat")


@dataclass(frozen=True)
class Rated:
    """OASIS. All have n rows."""

    files: tuple[Path, ...]
    groups: NDArray[np.str_]  # the theme without its number; folds never split one
    scenes: NDArray[np.bool_]  # whether a place is the subject, by the set's own category
    affect: NDArray[np.float64]  # (n, 2): mean valence and arousal, [-1, 1]
    spread: NDArray[np.float64]  # (n, 2): standard deviation between viewers, same scale

    def __len__(self) -> int:
        return len(self.files)


@dataclass(frozen=True)
class Places:
    """Pictures of places. All have n rows."""

    files: tuple[Path, ...]
    types: NDArray[np.int64]  # index into PLACES
    held_out: NDArray[np.bool_]  # never trained on

    def __len__(self) -> int:
        return len(self.files)

    @property
    def outdoor(self) -> NDArray[np.bool_]:
        return ~np.isin(self.types, [PLACES.index(name) for name in INDOOR])


def load_rated(shared: Path) -> Rated:
    folder = shared / SCENES / "oasis"
    rows = _rows(folder)

    def columns(*names: str) -> NDArray[np.float64]:
        return np.array([[float(row[name]) for name in names] for row in rows])

    return Rated(
        tuple(folder / row["file"] for row in rows),
        np.array([row["group"] for row in rows]),
        np.array([row["category"] == SCENE for row in rows]),
        (columns("valence_mean", "arousal_mean") - MIDDLE) / REACH,
        columns("valence_sd", "arousal_sd") / REACH,
    )


def load_places(shared: Path) -> Places:
    rows = [
        (shared / SCENES / name, row)
        for name in ("intel", "sun8")
        for row in _rows(shared / SCENES / name)
    ]
    return Places(
        tuple(folder / row["file"] for folder, row in rows),
        np.array([PLACES.index(row["scene"]) for _, row in rows]),
        np.array([bucket(row["file"]) % 5 == HELD_OUT for _, row in rows]),
    )


def folds(groups: Sequence[str] | NDArray[np.str_]) -> NDArray[np.int64]:
    """(n,): the fold of each picture. Whole groups, the largest first (of equals by `bucket`),
    each to the fold that has the fewest pictures so far."""
    names, counts = np.unique(groups, return_counts=True)
    order = sorted(range(len(names)), key=lambda i: (-counts[i], bucket(str(names[i]))))
    sizes, fold = [0] * FOLDS, {}
    for i in order:
        smallest = sizes.index(min(sizes))
        fold[str(names[i])] = smallest
        sizes[smallest] += int(counts[i])
    return np.array([fold[str(group)] for group in groups])


def read_rgb(path: Path) -> Image:
    """Raises ValueError if the file is no picture."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path.name}: not a picture")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def squashed(image: Image, size: tuple[int, int]) -> Image:
    """The whole picture as the tracker shows it to the network; size: height, width."""
    return resized(image, (size[1], size[0]))


def bucket(text: str) -> int:
    """A fixed number for a name, so that a split never depends on the order of files."""
    return int(hashlib.sha1(text.encode()).hexdigest()[:8], 16)


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
