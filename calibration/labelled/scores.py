"""How well the readings of faces agree with labels, always beside the constant answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.labelled.labels import Label, Labelled
from calibration.metrics import (
    Table,
    Vector,
    calibration_error,
    ccc,
    confusion,
    f1,
    pearson,
    reliability,
    rmse,
    sign_agreement,
)
from tracker.geometry import area
from tracker.pipeline import Tracker
from tracker.values import EXPRESSIONS, Image

MEASURES: dict[str, Callable[[Vector, Vector], float]] = {
    "CCC": ccc,
    "Pearson": pearson,
    "RMSE": rmse,
    "sign agreement": sign_agreement,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read of one labelled picture."""

    label: Label
    shares: tuple[float, ...]  # EXPRESSIONS
    valence: float
    arousal: float


@dataclass(frozen=True, slots=True)
class Accuracy:
    what: str
    n: int
    ours: float
    constant: float  # of always saying the commonest class


@dataclass(frozen=True, slots=True)
class ExpressionScores:
    n: int
    accuracy: float
    constant: str  # the commonest class
    constant_accuracy: float  # of always saying it
    also: tuple[Accuracy, ...]  # asked in other ways
    f1: tuple[float, ...]  # by class; nan where it is never there and never said
    f1_mean: float  # of the classes that are there
    constant_f1_mean: float
    calibration_error: float  # [0, 1]
    table: Table
    bins: list[tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class AffectScores:
    n: int
    axis: str
    ours: dict[str, float]  # by MEASURES
    constant: dict[str, float]  # of always saying the labels' own mean


@dataclass(frozen=True, slots=True)
class FaceScores:
    pictures: int
    unseen: tuple[str, ...]  # pictures in which no face was found; in no score
    expression: ExpressionScores | None  # None: no such labels
    affect: tuple[AffectScores, ...]
    answers: tuple[Answer, ...]


def read_faces(
    labelled: Labelled, choose: Callable[[Image], Tracker]
) -> tuple[list[Answer], list[str]]:
    """Answers, and the names of pictures without a face. Of several faces the largest counts.

    choose: who reads a picture.
    """
    answers, unseen = [], []
    for label in labelled.labels:
        image = labelled.picture(label)
        tracker = choose(image)
        tracker.begin()
        people = tracker.push(image, 0.0).people
        if not people:
            unseen.append(label.name)
            continue
        person = max(people, key=lambda person: area(person.face.box))
        raw = person.affect.raw
        answers.append(Answer(label, person.expression.values, raw.valence, raw.arousal))
    return answers, unseen


def score_faces(answers: Sequence[Answer], unseen: Sequence[str]) -> FaceScores:
    affect = [_affect(answers, axis) for axis in ("valence", "arousal")]
    return FaceScores(
        len(answers) + len(unseen),
        tuple(unseen),
        _expression([a for a in answers if a.label.expression is not None]),
        tuple(scores for scores in affect if scores is not None),
        tuple(answers),
    )


def farthest(scores: FaceScores, most: int = 24) -> list[Answer]:
    """The readings farthest from their ratings in the plane of valence and arousal."""
    rated = [a for a in scores.answers if _distance(a) > 0]
    return sorted(rated, key=_distance, reverse=True)[:most]


def worst(scores: FaceScores, most: int = 24) -> list[Answer]:
    """The mistakes of which the network was surest."""
    wrong = [
        a
        for a in scores.answers
        if a.label.expression is not None and int(np.argmax(a.shares)) != a.label.expression
    ]
    return sorted(wrong, key=lambda a: -max(a.shares))[:most]


def _distance(answer: Answer) -> float:
    label = answer.label
    across = 0.0 if label.valence is None else answer.valence - label.valence
    up = 0.0 if label.arousal is None else answer.arousal - label.arousal
    return math.hypot(across, up)


def _expression(answers: Sequence[Answer]) -> ExpressionScores | None:
    if not answers:
        return None
    shares = np.array([a.shares for a in answers])
    truth = np.array([a.label.expression for a in answers])
    said = shares.argmax(1)
    table = confusion(said, truth, len(EXPRESSIONS))
    there = table.sum(1) > 0
    commonest = int(table.sum(1).argmax())
    values = f1(table)
    constant = confusion(np.full_like(truth, commonest), truth, len(EXPRESSIONS))
    return ExpressionScores(
        len(answers),
        float((said == truth).mean()),
        EXPRESSIONS[commonest],
        float((truth == commonest).mean()),
        tuple(_other_ways(answers, shares, truth)),
        tuple(map(float, values)),
        float(values[there].mean()),
        float(f1(constant)[there].mean()),
        calibration_error(shares, truth),
        table,
        reliability(shares, truth),
    )


def _other_ways(
    answers: Sequence[Answer], shares: NDArray[Any], truth: NDArray[Any]
) -> Iterator[Accuracy]:
    """Among the set's own classes, if they are fewer; where the voters were clear, if some were."""
    counts = np.bincount(truth, minlength=len(EXPRESSIONS))
    there = np.flatnonzero(counts)
    if len(there) < len(EXPRESSIONS):
        right = float((there[shares[:, there].argmax(1)] == truth).mean())
        what = f"accuracy among its {len(there)} classes"
        yield Accuracy(what, len(truth), right, float(counts.max() / len(truth)))
    clear = np.array([a.label.clear for a in answers])
    if clear.any():
        right = float((shares[clear].argmax(1) == truth[clear]).mean())
        constant = float(np.bincount(truth[clear]).max() / clear.sum())
        yield Accuracy("accuracy, over half of all votes", int(clear.sum()), right, constant)


def _affect(answers: Sequence[Answer], axis: str) -> AffectScores | None:
    rated = [a for a in answers if getattr(a.label, axis) is not None]
    if not rated:
        return None
    said = np.array([getattr(a, axis) for a in rated])
    truth: NDArray[Any] = np.array([getattr(a.label, axis) for a in rated])
    mean = np.full(len(truth), truth.mean())
    return AffectScores(
        len(rated),
        axis,
        {name: measure(said, truth) for name, measure in MEASURES.items()},
        {name: measure(mean, truth) for name, measure in MEASURES.items()},
    )
