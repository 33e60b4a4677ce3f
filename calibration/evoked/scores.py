"""The source's table: how often the network is right, beside the constant answer and theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.evoked.pictures import Pictures
from calibration.metrics import Table, confusion, f1
from tracker.values import EMOTIONS

POSITIVE = EMOTIONS[:4]  # amusement, awe, contentment, excitement (Mikels et al. 2005)


@dataclass(frozen=True)
class Scores:
    """On the test part."""

    classes: tuple[str, ...]
    table: Table  # rows are the truth
    constant: str  # the training part's most common class
    positive: tuple[bool, ...] | None  # of each class; None: not known of all

    @property
    def n(self) -> int:
        return int(self.table.sum())

    @property
    def accuracy(self) -> float:
        return float(np.trace(self.table) / self.n)

    @property
    def constant_accuracy(self) -> float:
        return float(self.table[self.classes.index(self.constant)].sum() / self.n)

    @property
    def recall(self) -> NDArray[np.float64]:
        """Of each class; nan: none in the test."""
        truth = self.table.sum(1).astype(np.float64)
        found = np.full(len(truth), np.nan)
        np.divide(np.diag(self.table), truth, out=found, where=truth > 0)
        return found

    @property
    def binary(self) -> tuple[float, float] | None:
        """Right about pleasant or unpleasant: ours, and the constant answer's."""
        if self.positive is None:
            return None
        side = np.array(self.positive)
        same = side[:, None] == side[None, :]
        constant = side == side[self.classes.index(self.constant)]
        return float(self.table[same].sum() / self.n), float(self.table[constant].sum() / self.n)


def score(pictures: Pictures, said: Sequence[int], emotions: Sequence[str | None]) -> Scores:
    """said: the class given to each picture of `test`. emotions: what each class is of EMOTIONS.

    Positive or negative is the side of the likeliest class.
    """
    truth = np.array([sample.label for sample in pictures.test])
    usual = np.bincount([sample.label for sample in pictures.train]).argmax()
    return Scores(
        pictures.classes,
        confusion(np.array(said), truth, len(pictures.classes)),
        pictures.classes[usual],
        None if None in emotions else tuple(emotion in POSITIVE for emotion in emotions),
    )


def as_text(scores: Scores, theirs: dict[str, float]) -> str:
    """theirs: the source's figures, by the names of our lines."""
    lines = [f"{scores.n} pictures" + f"{'ours':>22}  constant    theirs   ({scores.constant})"]
    there = scores.table.sum(1) > 0
    flat = float(there[scores.classes.index(scores.constant)] / there.sum())
    rows = [("accuracy", scores.accuracy, scores.constant_accuracy)]
    if scores.binary is not None:
        rows.append(("positive or negative", *scores.binary))
    rows.append(("mean recall", float(np.nanmean(scores.recall)), flat))
    for name, ours, constant in rows:
        end = f"{theirs[name]:10.3f}" if name in theirs else ""
        lines.append(f"{name:<24}{ours:10.4f}{constant:10.4f}{end}")
    header = "".join(f"{name[:9]:>10}" for name in scores.classes)
    lines += ["", f"{'truth  said':<13}{header}    recall        F1"]
    for name, row, recall, value in zip(
        scores.classes, scores.table, scores.recall, f1(scores.table), strict=True
    ):
        ends = "".join("       n/a" if np.isnan(v) else f"{v:10.3f}" for v in (recall, value))
        lines.append(f"{name[:12]:<13}" + "".join(f"{n:>10}" for n in row) + ends)
    return "\n".join(lines)
