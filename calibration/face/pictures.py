"""The face sets, read from `shared`: pictures, what people said of them, who may be trained on.

FER+ (votes MIT, pixels of FER2013 not cleared), DiffusionFER (CC0-1.0 by its card), people
(repository Apache-2.0, photographs not cleared). Read `Faces` first.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.face.circumplex import affect_of
from calibration.labelled.labels import Label, LabelError, read_folder
from calibration.samples import RecipeError
from calibration.traces.tables import TraceError
from tracker.values import EXPRESSIONS, Image

SEVEN = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")  # FER2013's
UNKNOWN = -1  # a FER2013 label that a picture does not have
NO_FACE = 9  # column of the votes
FIELDS = (
    *("images", "votes", "emotions", "fer2013_label", "fer2013_names"),
    *("leaks_from_train", "dup_group"),
)
HELD_OUT = 1  # DiffusionFER's fold that no training and no choice sees; fold 0 is not here at all
_SEVEN_BY_NAME = {
    "angry": 0, "disgust": 1, "fear": 2, "happy": 3, "sad": 4, "surprise": 5, "neutral": 6,
}  # fmt: skip


@dataclass(frozen=True)
class Faces:
    """Pictures in one framing, with labels. All arrays have n rows."""

    images: NDArray[np.uint8]  # (n, S, S), grey
    shares: NDArray[np.float32]  # (n, 8), of the votes; sums to 1
    seven: NDArray[np.int64]  # FER2013 label or UNKNOWN
    affect: NDArray[np.float32]  # (n, 2), valence and arousal
    weight: NDArray[np.float32]  # of the expression, in the loss

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Votes:
    """FER+ as it is stored."""

    images: NDArray[np.uint8]  # (n, 48, 48)
    votes: NDArray[np.int64]  # (n, 10): EXPRESSIONS, unknown, no face
    seven: NDArray[np.int64]  # index into SEVEN
    leaks: NDArray[np.bool_]  # a near-duplicate is in the training part
    groups: NDArray[np.int64]  # near-duplicates share a number; -1: none

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Votes:
        return Votes(
            self.images[rows],
            self.votes[rows],
            self.seven[rows],
            self.leaks[rows],
            self.groups[rows],
        )


def load_votes(folder: Path, *names: str) -> Votes:
    """FER+ files of `folder` (shared/data/faces), one after the other.

    Raises RecipeError naming a file that is another.
    """
    files = [_open_votes(folder / f"{name}.npz") for name in names]

    def column(key: str) -> NDArray[np.int64]:
        return np.concatenate([file[key] for file in files])

    return Votes(
        column("images").astype(np.uint8),
        column("votes").astype(np.int64),
        column("fer2013_label").astype(np.int64),
        column("leaks_from_train").astype(np.bool_),
        column("dup_group").astype(np.int64),
    )


def training_votes(folder: Path) -> Votes:
    """What may be trained on: no picture with more than two votes for "not a face" or with no
    vote left after a lone one is taken as noise, and none whose twin is in the validation part."""
    votes = load_votes(folder, "ferplus_train_1", "ferplus_train_2")
    valid = load_votes(folder, "ferplus_valid")
    twin = (votes.groups >= 0) & np.isin(votes.groups, valid.groups[~valid.leaks])
    usable = (votes.votes[:, NO_FACE] <= 2) & (without_lone(votes.votes).sum(1) > 0)
    return votes.take(usable & ~twin)


def validation_votes(folder: Path) -> Votes:
    """FER2013's PublicTest without the pictures that have a near-duplicate in training."""
    votes = load_votes(folder, "ferplus_valid")
    return votes.take(~votes.leaks)


def without_lone(votes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n, 8): the votes for expressions; a single one is noise (Barsoum et al. 2016, sec. 3)."""
    return np.where(votes[:, :8] == 1, 0, votes[:, :8])


def shares_of(votes: NDArray[np.int64]) -> NDArray[np.float32]:
    """(n, 8): votes as shares. Rows without any are all zero."""
    kept = without_lone(votes).astype(np.float32)
    return np.asarray(kept / np.maximum(kept.sum(1, keepdims=True), 1), np.float32)


def majority(votes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,): the most voted answer is an expression and has more than half of the votes that are
    left without lone ones, "unknown" and "no face" counted (the "majority" of the FER+ authors)."""
    left = np.where(votes == 1, 0, votes)
    return np.asarray(2 * left[:, :8].max(1) > left.sum(1), np.bool_)


def clear(votes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,): more than half of all ten voters named the same expression."""
    return np.asarray(2 * votes[:, :8].max(1) > votes.sum(1), np.bool_)


def single(votes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,): one expression has more votes than any other answer."""
    ordered = np.sort(votes, 1)
    return np.asarray((ordered[:, -1] > ordered[:, -2]) & (votes.argmax(1) < 8), np.bool_)


def rarity(shares: NDArray[np.float32], power: float) -> NDArray[np.float32]:
    """(n,): weight of each picture, higher for rare expressions; 1 on average.

    power: 0 leaves all equal, 1 gives each expression the same sum.
    """
    common = shares.sum(0) / shares.sum()
    weight = shares @ (common + 1e-6) ** -power
    return np.asarray(weight / weight.mean(), np.float32)


def faces_of(votes: Votes, power: float = 0.0) -> Faces:
    """FER+ pictures with soft labels."""
    shares = shares_of(votes.votes)
    return Faces(votes.images, shares, votes.seven, affect_of(shares), rarity(shares, power))


@dataclass(frozen=True)
class Labelled:
    """A row of a labels.csv."""

    path: Path
    expression: str  # of EXPRESSIONS
    affect: tuple[float, float] | None  # valence, arousal, where someone rated them


def diffusionfer(folder: Path, held_out: bool) -> list[Labelled]:
    """Synthetic faces with rated valence and arousal: the held-out fold, or the others."""
    return [
        row
        for row in _rows(folder / "diffusionfer", rated=True)
        if (bucket(row.path.stem) % 5 == HELD_OUT) == held_out
    ]


def people(folder: Path) -> list[Labelled]:
    """Press photographs with noisy expressions: a second kind of picture."""
    return _rows(folder / "people", rated=False)


def read_rgb(path: Path) -> Image:
    """Raises RecipeError if the file is no picture."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise RecipeError(f"{path}: not a picture")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def bucket(text: str) -> int:
    """A fixed number for a name, so that a split never depends on the order of files."""
    return int(hashlib.sha1(text.encode()).hexdigest()[:8], 16)


def _open_votes(path: Path) -> Mapping[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            found: dict[str, NDArray[Any]] = {name: file[name] for name in FIELDS}
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as wrong:
        raise RecipeError(f"{path}: not an archive of FER+ votes ({wrong})") from wrong
    if tuple(found["emotions"][:8]) != EXPRESSIONS:
        raise RecipeError(f"{path}: votes in another order: {found['emotions']}")
    if [_SEVEN_BY_NAME.get(name) for name in found["fer2013_names"]] != list(range(7)):
        raise RecipeError(f"{path}: labels in another order: {found['fer2013_names']}")
    return found


def _rows(folder: Path, *, rated: bool) -> list[Labelled]:
    """Raises RecipeError naming the table and the line of a label that is missing or wrong."""
    table = folder / "labels.csv"

    def one(label: Label) -> Labelled:
        asked = (label.expression, label.valence, label.arousal)[: 3 if rated else 1]
        if any(value is None for value in asked):
            raise RecipeError(f"{table}, line {label.line}: a label is missing")
        word = EXPRESSIONS[label.expression or 0]
        affect = (label.valence or 0.0, label.arousal or 0.0) if rated else None
        return Labelled(folder / label.name, word, affect)

    try:
        return [one(label) for label in read_folder(folder, table).labels]
    except (LabelError, TraceError) as wrong:
        raise RecipeError(str(wrong)) from wrong
