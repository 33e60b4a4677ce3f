"""Every figure of the face network's card, from the exported file.

python -m calibration.face.evaluate --shared ../shared --model tracker/weights/face-s.onnx
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import engines
from calibration.face.circumplex import affect_of
from calibration.face.corruptions import CORRUPTIONS, corrupted
from calibration.face.framing import DETECTOR, Landmarks, crops_of, find_in_crops
from calibration.face.pictures import (
    SEVEN,
    Votes,
    clear,
    diffusionfer,
    majority,
    shares_of,
    single,
    validation_votes,
)
from calibration.metrics import (
    calibration_error,
    ccc,
    confusion,
    f1,
    pearson,
    rmse,
    sign_agreement,
)
from calibration.samples import run
from tracker.crops import Template, aligned
from tracker.models import load_card
from tracker.values import EXPRESSIONS, Box, Detection

FERPLUS = "FER+ validation without leaks"
MAJORITY = f"{FERPLUS}, majority of the votes"  # as the authors of FER+ take it: `majority`
SYNTHETIC = "DiffusionFER, held-out fold"
FOUR = ("anger", "happiness", "sadness", "neutral")

Pictures = NDArray[np.uint8]  # (n, S, S)
Shares = NDArray[np.float32]  # (n, 8)


@dataclass(frozen=True)
class Score:
    """One figure."""

    metric: str
    value: float
    set: str
    n: int


@dataclass(frozen=True)
class Answers:
    affect: NDArray[np.float32]  # (n, 2)
    expression: Shares


class Reader:
    """The exported network on grey crops, with or without the mirror image."""

    def __init__(self, model: Path) -> None:
        self._engine = engines.load(model, "onnx", max_batch=64)

    def __call__(self, crops: Pictures, mirrored: bool = False) -> Answers:
        rows = crops[:, None].astype(np.float32)
        affect, expression, _ = engines.infer_rows(self._engine, rows)
        if mirrored:
            flipped = np.ascontiguousarray(rows[..., ::-1])
            other = engines.infer_rows(self._engine, flipped)
            affect, expression = (affect + other[0]) / 2, (expression + other[1]) / 2
        return Answers(affect, expression)


def scores(model: Path, template: Template, shared: Path) -> Iterator[Score]:
    """All figures, one after the other."""
    reader, faces = Reader(model), shared / "data" / "faces"
    votes = validation_votes(faces)
    yield from ferplus_scores(reader, votes)
    yield from framing_scores(reader, votes, template, Landmarks(shared / DETECTOR))
    yield from fer2013_scores(reader, votes)
    yield from synthetic_scores(reader, faces, template, Landmarks(shared / DETECTOR))
    yield from corruption_scores(reader, votes)


def ferplus_scores(reader: Reader, votes: Votes) -> Iterator[Score]:
    shares = shares_of(votes.votes)
    truth, sure = shares.argmax(1), majority(votes.votes)
    one, two = reader(votes.images), reader(votes.images, mirrored=True)
    n = int(sure.sum())
    for name, rows in (
        (MAJORITY, sure),
        (f"{FERPLUS}, more than five of the ten votes", clear(votes.votes)),
        (f"{FERPLUS}, one most-voted expression", single(votes.votes)),
    ):
        voted, count = votes.votes[rows, :8].argmax(1), int(rows.sum())
        yield Score("accuracy", _accuracy(one.expression[rows], voted), name, count)
        value = _accuracy(two.expression[rows], voted)
        yield Score("accuracy, mean with mirror image", value, name, count)
        constant = float(np.bincount(voted).max() / count)
        yield Score("accuracy of the constant answer", constant, name, count)
    table = confusion(one.expression[sure].argmax(1), truth[sure], len(EXPRESSIONS))
    values = f1(table)
    yield Score("F1, mean of 8", float(values.mean()), MAJORITY, n)
    for k, word in enumerate(EXPRESSIONS):
        shown = int(table[k].sum())
        yield Score(f"F1 {word}", float(values[k]), MAJORITY, shown)
        yield Score(f"recall {word}", float(table[k, k] / max(shown, 1)), MAJORITY, shown)
    odd = sure & (np.arange(len(votes)) % 2 == 1)  # the temperature was fitted on the others
    error = calibration_error(one.expression[odd], truth[odd])
    yield Score("ECE, 15 bins", error, f"{MAJORITY}, odd rows", int(odd.sum()))
    known = shares.sum(1) > 0
    target = affect_of(shares[known])
    for k, name in enumerate(("valence", "arousal")):
        value = ccc(one.affect[known, k], target[:, k])
        yield Score(f"CCC {name} to the votes' place (a proxy)", value, FERPLUS, int(known.sum()))


def framing_scores(
    reader: Reader, votes: Votes, template: Template, landmarks: Landmarks
) -> Iterator[Score]:
    """The same pictures as a tracker sees them: found by a detector, then aligned."""
    sure = majority(votes.votes)
    images, truth = votes.images[sure], shares_of(votes.votes)[sure].argmax(1)
    points, boxes = find_in_crops(images, landmarks)
    for name, use_points in (("five landmarks", True), ("the box only", False)):
        crops = images.copy()
        for i, (row, box) in enumerate(zip(points, boxes, strict=True)):
            if np.isfinite(box).all():  # whom the detector misses keeps the whole picture
                given = tuple(map(tuple, row)) if use_points else ()
                face = Detection(Box(*map(float, box)), 1.0, given)
                crops[i] = aligned(images[i], face, template)[0].round()
        value = _accuracy(reader(crops).expression, truth)
        yield Score(f"accuracy, aligned by {name}", value, MAJORITY, len(images))


def fer2013_scores(reader: Reader, votes: Votes) -> Iterator[Score]:
    """Against FER2013's own labels, which agree with the votes on 62 % of the pictures."""
    expression = reader(votes.images).expression
    for words in (FOUR, SEVEN):
        columns = [EXPRESSIONS.index(word) for word in words]
        codes = [SEVEN.index(word) for word in words]
        rows = np.isin(votes.seven, codes)
        said = np.array(codes)[expression[rows][:, columns].argmax(1)]
        value = float((said == votes.seven[rows]).mean())
        name = f"accuracy among {len(words)}"
        yield Score(name, value, f"{FERPLUS}, labels of FER2013", int(rows.sum()))


def synthetic_scores(
    reader: Reader, faces: Path, template: Template, landmarks: Landmarks
) -> Iterator[Score]:
    """The fold that no training saw and no command chooses by. Its scores were in sight when the
    rule of `blend.py` was settled."""
    held, known = diffusionfer(faces, held_out=True), diffusionfer(faces, held_out=False)
    crops, _ = crops_of(held, template, landmarks)
    answers = reader(crops)
    truth = np.array([row.affect for row in held], np.float32)
    mean = np.array([row.affect for row in known], np.float32).mean(0)
    for k, name in enumerate(("valence", "arousal")):
        x, y = answers.affect[:, k], truth[:, k]
        for metric, measure in (
            ("CCC", ccc),
            ("Pearson", pearson),
            ("RMSE", rmse),
            ("sign agreement", sign_agreement),
        ):
            yield Score(f"{metric} {name}", measure(x, y), SYNTHETIC, len(held))
        constant = rmse(np.full(len(y), mean[k]), y)
        yield Score(f"RMSE {name} of the constant answer", constant, SYNTHETIC, len(held))
    words = [EXPRESSIONS.index(row.expression) for row in held]
    value = _accuracy(answers.expression, np.array(words))
    yield Score("accuracy", value, SYNTHETIC, len(held))


def corruption_scores(reader: Reader, votes: Votes) -> Iterator[Score]:
    sure = majority(votes.votes)
    images, truth = votes.images[sure], shares_of(votes.votes)[sure].argmax(1)
    for name, (_, strengths) in CORRUPTIONS.items():
        for strength in strengths:
            value = _accuracy(reader(corrupted(images, name, strength)).expression, truth)
            yield Score(f"accuracy, {name} {strength:g}", value, MAJORITY, len(images))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--model", type=Path, default=Path("tracker/weights/face-s.onnx"))
    args = parser.parse_args()
    cv2.setNumThreads(1)
    template = Template.from_card(load_card(args.model.with_suffix(".json"))["input"])
    for score in scores(args.model, template, args.shared):
        print(f"{score.value:8.4f}  n {score.n:5d}  {score.metric}  [{score.set}]")
    votes = validation_votes(args.shared / "data" / "faces")
    sure = majority(votes.votes)
    said = Reader(args.model)(votes.images[sure]).expression.argmax(1)
    truth = shares_of(votes.votes)[sure].argmax(1)
    table = confusion(said, truth, len(EXPRESSIONS))
    print(
        "\nrows: most voted; columns: said\n" + " " * 10 + "".join(f"{w:>10}" for w in EXPRESSIONS)
    )
    for word, row in zip(EXPRESSIONS, table, strict=True):
        print(f"{word:<10}" + "".join(f"{count:>10}" for count in row))


def _accuracy(shares: Shares, truth: NDArray[Any]) -> float:
    return float((shares.argmax(1) == truth).mean())


if __name__ == "__main__":
    run(main)
