"""The poster's Table 2: RMSE, Pearson and CCC of each rater, beside the constant answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.metrics import ccc, pearson, rmse
from calibration.poster.recola import RATERS

MEASURES = {"RMSE": rmse, "Pearson": pearson, "CCC": ccc}
Values = NDArray[np.float64]  # (n, 6), RATERS


@dataclass(frozen=True, slots=True)
class RaterScore:
    split: str
    rater: str
    n: int  # frames with a face and a rating
    ours: dict[str, float]  # by MEASURES
    constant: dict[str, float]  # of always saying the rater's mean in training


def scores(split: str, said: Values, rated: Values, means: Sequence[float]) -> list[RaterScore]:
    """One for each rater. Frames without a face (nan in said) or a rating are left out.

    said, rated: all frames of a split. means: each rater's in training.
    """
    both = np.isfinite(said).all(1) & np.isfinite(rated).all(1)
    if not both.any():
        return []
    made = []
    for k, rater in enumerate(RATERS):
        x, y = said[both, k], rated[both, k]
        mean = np.full(len(y), means[k])
        ours = {name: measure(x, y) for name, measure in MEASURES.items()}
        constant = {name: measure(mean, y) for name, measure in MEASURES.items()}
        made.append(RaterScore(split, rater, len(y), ours, constant))
    return made


def as_text(rows: Sequence[RaterScore]) -> str:
    """Aligned lines; n/a where a score is not defined."""
    names = "".join(f"{name:>9}" for name in MEASURES)
    lines = [
        f"{'':<20}{'network':^27}   {'always the mean':^27}",
        f"{'split':<7}{'rater':<6}{'n':>7}{names}   {names}",
    ]
    for row in rows:
        ours, constant = (
            "".join(f"{'n/a' if math.isnan(v) else f'{v:.4f}':>9}" for v in side.values())
            for side in (row.ours, row.constant)
        )
        lines.append(f"{row.split:<7}{row.rater:<6}{row.n:>7}{ours}   {constant}")
    return "\n".join(lines)


def as_card(rows: Sequence[RaterScore], command: str, date: str) -> list[dict[str, Any]]:
    """The same as a card states scores; one that is not defined is null."""
    return [
        {
            "metric": f"{name} {row.rater}{of}",
            "value": None if math.isnan(value) else round(value, 4),
            "set": f"RECOLA {row.split}",
            "n": row.n,
            "date": date,
            "command": command,
        }
        for row in rows
        for side, of in ((row.ours, ""), (row.constant, " of the constant answer"))
        for name, value in side.items()
    ]
