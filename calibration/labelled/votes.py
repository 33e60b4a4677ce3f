"""Archives of FER+ votes: pictures, and what ten people said of each (Barsoum et al. 2016)."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.labelled.labels import Label, LabelError, Stack
from tracker.values import EXPRESSIONS

OTHERS = 2  # columns behind the eight: unknown, not a face
LEAKS = "leaks_from_train"  # rows with a near-duplicate in the training part
DAMAGED = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)


def read_votes(path: Path) -> Stack:
    """Pictures of which one expression has more than half of the votes left without lone ones.

    A lone vote is noise; "unknown" and "no face" count against; near-duplicates of training
    pictures are left out. Raises LabelError naming the file, and the field that is wrong.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            fields = {name: file[name] for name in ("images", "votes")}
            fields |= {name: file[name] for name in ("emotions", LEAKS) if name in file}
    except (*DAMAGED, TypeError, AttributeError) as wrong:  # the last two: one array, no archive
        raise LabelError(f"{path}: not an archive of FER+ votes ({wrong})") from wrong
    _check(path, fields)
    images, votes = fields["images"], fields["votes"].astype(int)
    left = np.where(votes == 1, 0, votes)
    kept = 2 * left[:, :8].max(1) > left.sum(1)
    if LEAKS in fields:
        kept &= ~fields[LEAKS].astype(bool)
    if not kept.any():
        raise LabelError(f"{path}: no picture has a majority of votes for an expression")
    clear = 2 * votes[:, :8].max(1) > votes.sum(1)
    labels = [
        Label(int(i), str(i), int(votes[i, :8].argmax()), None, None, bool(clear[i]))
        for i in np.flatnonzero(kept)
    ]
    return Stack(labels, {label.line: images[label.line] for label in labels})


def _check(path: Path, fields: dict[str, NDArray[Any]]) -> None:
    images, votes = fields["images"], fields["votes"]
    if images.dtype != np.uint8 or images.ndim != 3:
        found = f"{images.dtype} {images.shape}"
        raise LabelError(f"{path}: 'images' is {found}, expected uint8 (n, height, width)")
    n, width = len(images), len(EXPRESSIONS) + OTHERS
    if votes.shape != (n, width) or votes.dtype.kind not in "iu":
        found = f"{votes.dtype} {votes.shape}"
        raise LabelError(f"{path}: 'votes' is {found}, expected whole numbers ({n}, {width})")
    if LEAKS in fields and fields[LEAKS].shape != (n,):
        raise LabelError(f"{path}: {LEAKS!r} is {fields[LEAKS].shape}, expected ({n},)")
    named = tuple(map(str, fields.get("emotions", EXPRESSIONS)))[: len(EXPRESSIONS)]
    if named != EXPRESSIONS:
        raise LabelError(f"{path}: 'emotions' is {named}, expected {EXPRESSIONS}")
