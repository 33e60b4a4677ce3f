"""How well a context network does: average precision per category, error of valence and others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.emotic.annotations import Person
from calibration.metrics import average_precision
from tracker.values import CATEGORIES

AXES = ("valence", "arousal", "dominance")
THEIRS = {"mAP": 0.284, "vad": 0.93}  # arXiv 2312.07500; Kosti et al. 2019: mAP 0.274, unverified


@dataclass(frozen=True)
class Scores:
    """Of one split. Errors are mean absolute differences on the scale of 1..10."""

    n: int
    precision: dict[str, float]  # of each category; nan: nobody has it
    constant_precision: dict[str, float]  # of an answer that never changes: the category's share
    error: dict[str, float]  # of each axis
    constant_error: dict[str, float]  # of always saying the training set's mean

    @property
    def mean_precision(self) -> float:
        return float(np.nanmean(list(self.precision.values())))

    @property
    def constant_mean_precision(self) -> float:
        return float(np.nanmean(list(self.constant_precision.values())))


def score(
    people: Sequence[Person],
    train: Sequence[Person],
    categories: NDArray[np.float32],
    vad: NDArray[np.float32],
) -> Scores:
    """categories: (n, 26), 0..1; vad: (n, 3), 1..10: what was said of `people`."""
    truth = np.zeros((len(people), len(CATEGORIES)))
    for row, person in zip(truth, people, strict=True):
        row[list(person.categories)] = 1
    rated = np.array([person.vad for person in people])
    usual = np.nanmean([person.vad for person in train], axis=0)
    flat = np.zeros(len(people))
    return Scores(
        len(people),
        {c: average_precision(categories[:, i], truth[:, i]) for i, c in enumerate(CATEGORIES)},
        {c: average_precision(flat, truth[:, i]) for i, c in enumerate(CATEGORIES)},
        {a: float(np.nanmean(np.abs(vad[:, i] - rated[:, i]))) for i, a in enumerate(AXES)},
        {a: float(np.nanmean(np.abs(usual[i] - rated[:, i]))) for i, a in enumerate(AXES)},
    )


def as_text(scores: Scores) -> str:
    """Aligned lines: each score beside what the constant answer gets, and what they had."""
    lines = [f"{scores.n} people" + " " * 16 + "ours  constant    theirs"]
    lines.append(_line("mAP", scores.mean_precision, scores.constant_mean_precision, THEIRS["mAP"]))
    for name, value in scores.precision.items():
        lines.append(_line(f"AP {name}", value, scores.constant_precision[name]))
    ours, flat = (float(np.mean(list(e.values()))) for e in (scores.error, scores.constant_error))
    lines.append(_line("error, 1..10", ours, flat, THEIRS["vad"]))
    for name, value in scores.error.items():
        lines.append(_line(f"error {name}", value, scores.constant_error[name]))
    return "\n".join(lines)


def _line(name: str, ours: float, constant: float, theirs: float | None = None) -> str:
    cells = [ours, constant, *([] if theirs is None else [theirs])]
    return f"{name:<22}" + "".join("       n/a" if np.isnan(c) else f"{c:10.4f}" for c in cells)
