"""Pictures and labels of all sets side by side."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import compress
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from calibration.scene.emotions import labels_of, load_themes
from calibration.scene.pictures import (
    ELSEWHERE,
    TYPES,
    folds,
    load_places,
    load_rated,
    read_rgb,
    squashed,
)
from tracker.bars import cropped, within_bars

SIZE = 256  # px, of the network's square input; 224 sees too little (r of valence 0.03 lower)
UNKNOWN = -1

Rows = NDArray[np.int64]
Table = NDArray[np.float64]


@dataclass(frozen=True)
class Material:
    """Rated pictures first, then places. All have n rows; nan and UNKNOWN mean not labelled."""

    files: tuple[Path, ...]
    affect: Table  # (n, 2)
    spread: Table  # (n, 2)
    emotions: Table  # (n, 8), derived shares
    outdoor: Rows  # 1, 0 or UNKNOWN
    types: Rows  # index into TYPES or UNKNOWN
    fold: Rows  # of the rated pictures; UNKNOWN for places
    held_out: NDArray[np.bool_]  # places kept for the scores

    def __len__(self) -> int:
        return len(self.files)

    @property
    def rated(self) -> NDArray[np.bool_]:
        return np.asarray(self.fold != UNKNOWN, np.bool_)

    def training(self, fold: int | None) -> Rows:
        """Rows that heads may see: all but those of `fold` and the places held out."""
        kept = ~self.held_out
        if fold is not None:
            kept &= self.fold != fold
        return np.flatnonzero(kept)

    def only(self, kept: NDArray[np.bool_]) -> Material:
        _, *columns = fields(self)
        rows = (getattr(self, column.name)[kept] for column in columns)
        return Material(tuple(compress(self.files, kept)), *rows)


def load(shared: Path) -> Material:
    rated, places, themes = load_rated(shared), load_places(shared), load_themes()
    known = [themes[str(group)].outdoor for group in rated.groups]
    n, m = len(rated), len(places)

    def padded(values: Table) -> Table:
        return np.concatenate([values, np.full((m, values.shape[1]), np.nan)])

    words = np.array([UNKNOWN if outdoor is None else int(outdoor) for outdoor in known])
    nowhere = np.where(rated.scenes, UNKNOWN, TYPES.index(ELSEWHERE))
    return Material(
        (*rated.files, *places.files),
        padded(rated.affect),
        padded(rated.spread),
        padded(labels_of(rated)),
        np.concatenate([words, places.outdoor]),
        np.concatenate([nowhere, places.types]),
        np.concatenate([folds(rated.groups), np.full(m, UNKNOWN)]),
        np.concatenate([np.zeros(n, np.bool_), places.held_out]),
    )


def frames_of(files: tuple[Path, ...], mirrored: bool = False, size: int = SIZE) -> Tensor:
    """(n, 3, size, size) in [-1, 1]: pictures as the tracker shows them to the network."""
    whole = (read_rgb(path) for path in files)
    images = np.stack([squashed(cropped(i, within_bars(i)), (size, size)) for i in whole])
    if mirrored:
        images = images[:, :, ::-1].copy()
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1
