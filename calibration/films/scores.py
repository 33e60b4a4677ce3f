"""What the contest counts: mean squared error and Pearson's r of each axis, film by film."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.metrics import pearson, rmse
from calibration.pages import or_na
from calibration.traces.series import AXES

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What was said of one film, beside its labels."""

    film: str
    said: Array  # (n, 2)
    truth: Array  # (n, 2); nan where nobody rated


@dataclass(frozen=True, slots=True)
class Score:
    """Of one axis, means over films."""

    mse: float
    pearson: float  # of the films for which it is defined; nan: of none


# As the post quotes the contest of 2018; not checked against its proceedings. The best entries
# are the best of each column, of different teams.
CONTEST = {
    "best entry, each column": (Score(0.0837, 0.3048), Score(0.1334, 0.3358)),
    "constant mean": (Score(0.1334, float("nan")), Score(0.1373, float("nan"))),
}


def score(answers: Sequence[Answers]) -> tuple[Score, Score]:
    """Of valence and arousal: the mean over films, as the task's own script of 2017 counts."""
    of_films = [[_film(a.said[:, axis], a.truth[:, axis]) for a in answers] for axis in (0, 1)]
    return _mean(of_films[0]), _mean(of_films[1])


def constant(train: Sequence[Array], answers: Sequence[Answers]) -> tuple[Score, Score]:
    """What always saying the mean of the training's labels would score."""
    mean = np.nanmean(np.concatenate(train), axis=0)
    return score([Answers(a.film, np.tile(mean, (len(a.said), 1)), a.truth) for a in answers])


def as_text(rows: Mapping[str, tuple[Score, Score]], test: str) -> str:
    """The contest's table, and below it ours. test: what ours were measured on, in words."""
    title = f"{'':<34}{AXES[0]:>16}{AXES[1]:>18}"
    head = f"{'':<34}{'MSE':>8}{'r':>8}{'MSE':>10}{'r':>8}"
    lines = [title, head, "MediaEval 2018, its 12 test films"]
    lines += [_line(name, scores) for name, scores in CONTEST.items()]
    lines += [f"here, {test}"]
    lines += [_line(name, scores) for name, scores in rows.items()]
    return "\n".join(lines)


def _line(name: str, scores: tuple[Score, Score]) -> str:
    v, a = scores
    return f"  {name:<32}{v.mse:8.4f}{or_na(v.pearson):>8}{a.mse:10.4f}{or_na(a.pearson):>8}"


def _film(said: Array, truth: Array) -> Score | None:
    """None: nobody rated it."""
    rated = np.isfinite(truth)
    if not rated.any():
        return None
    return Score(rmse(said[rated], truth[rated]) ** 2, pearson(said[rated], truth[rated]))


def _mean(found: Sequence[Score | None]) -> Score:
    scores = [s for s in found if s is not None]
    r = [s.pearson for s in scores if np.isfinite(s.pearson)]
    mse = float(np.mean([s.mse for s in scores])) if scores else float("nan")
    return Score(mse, float(np.mean(r)) if r else float("nan"))
