"""Every figure of the scene network's card.

python -m calibration.scene.evaluate --shared ../shared --runs runs

What pictures evoke is scored on themes that the heads did not see: five times they are fitted to
four fifths of the themes and asked about the rest. The shipped heads are fitted to all themes at
hand, in the same way; only places and maps can be scored on the shipped file itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import engines
from calibration.metrics import ccc, pearson, rmse
from calibration.samples import run
from calibration.scene.features import Features, features, new_network
from calibration.scene.heads import left_out
from calibration.scene.material import UNKNOWN, Material, Table, frames_of, load
from calibration.scene.network import answer
from calibration.scene.pictures import ELSEWHERE, FOLDS, INTEL, PLACES, TYPES
from calibration.scene.sanity import changes, likeness, randomised, some
from calibration.scene.shipped import restored

GROUPED = "OASIS, five folds of whole themes"
NAMES = ("valence", "arousal", "spread of valence", "spread of arousal")
SETS = {"Intel": range(len(INTEL)), "SUN-8": range(len(INTEL), len(PLACES))}
POSITIVE = 4  # of EMOTIONS: amusement, awe, contentment, excitement


@dataclass(frozen=True)
class Score:
    """One figure; `folds` are those of the five parts, `constant` what the mean answer scores."""

    metric: str
    value: float
    set: str
    n: int
    folds: tuple[float, ...] = ()
    constant: float | None = None


@dataclass(frozen=True)
class Answers:
    """In the units of the graph's outputs; all have n rows."""

    affect: Table
    spread: Table
    emotions: Table
    place: Table

    @classmethod
    def of(cls, totals: Table) -> Answers:
        """totals: (n, 28), what the heads add up to."""
        said = answer(torch.from_numpy(totals)[:, :, None, None])
        return cls(*(part.numpy() for part in said[:4]))


def rated_scores(totals: Table, material: Material) -> Iterator[Score]:
    """What pictures evoke. totals: (n, 28) of all rows, by heads that saw none of their fold."""
    rated = material.rated
    said, fold = Answers.of(totals[rated]), material.fold[rated]
    truth = np.concatenate([material.affect[rated], material.spread[rated]], 1)
    n = len(fold)
    yield from agreement(np.concatenate([said.affect, said.spread], 1), truth, fold)
    pleasant = truth[:, 0] > 0
    most = max(pleasant.mean(), 1 - pleasant.mean())
    for name, call in (
        ("valence above the middle", said.affect[:, 0] > 0),
        ("positive emotions above half", said.emotions[:, :POSITIVE].sum(1) > 0.5),
    ):
        right = call == pleasant
        parts = [float(right[fold == f].mean()) for f in range(FOLDS)]
        metric = f"positive or negative, accuracy: {name}"
        yield Score(metric, float(right.mean()), GROUPED, n, tuple(parts), float(most))
    yield from _emotion_scores(said.emotions, material.emotions[rated], fold)
    nowhere = said.place[:, 1:].argmax(1) == TYPES.index(ELSEWHERE)
    known = material.types[rated] != UNKNOWN
    told, n = float(nowhere[known].mean()), int(known.sum())
    yield Score(f"{ELSEWHERE}, share of objects, animals and people", told, GROUPED, n)
    rest = float(nowhere[~known].mean())
    yield Score(f"{ELSEWHERE}, share of scenes of any place", rest, GROUPED, int((~known).sum()))


def agreement(values: Table, truth: Table, fold: NDArray[np.int64]) -> Iterator[Score]:
    """Of NAMES. values, truth: (n, 4), the values by heads that saw none of their fold."""
    constant = constant_answers(truth, fold)
    for k, name in enumerate(NAMES):
        for metric, measure in (("r", pearson), ("CCC", ccc), ("RMSE", rmse)):
            parts = [measure(values[fold == f, k], truth[fold == f, k]) for f in range(FOLDS)]
            still = None if metric == "r" else measure(constant[:, k], truth[:, k])
            whole = measure(values[:, k], truth[:, k])
            yield Score(f"{metric}, {name}", whole, GROUPED, len(fold), tuple(parts), still)


def _emotion_scores(said: Table, labels: Table, fold: NDArray[np.int64]) -> Iterator[Score]:
    n, still = len(fold), constant_answers(labels, fold)
    derived = f"{GROUPED}; derived labels"

    def entropy(shares: Table) -> float:
        return float(-(labels * np.log(shares + 1e-9)).sum(1).mean())

    likeliest = labels.argmax(1)
    right = said.argmax(1) == likeliest
    parts = tuple(float(right[fold == f].mean()) for f in range(FOLDS))
    most = float((still.argmax(1) == likeliest).mean())
    yield Score("likeliest of 8 emotions, accuracy", float(right.mean()), derived, n, parts, most)
    yield Score("cross entropy of 8 emotions", entropy(said), derived, n, (), entropy(still))


def place_scores(shares: Table, material: Material) -> Iterator[Score]:
    """shares: (m, 16), the shipped file's answers on the places held out."""
    held_out = material.held_out
    types, outdoor = material.types[held_out], material.outdoor[held_out]
    for name, labels in SETS.items():
        here = np.isin(types, labels)
        truth, kinds = types[here], shares[here, 1:]
        one = labels.start + kinds[:, labels.start : labels.stop].argmax(1)
        n, most = len(truth), float(np.bincount(truth).max() / len(truth))
        where = f"{name}, fifth held out"
        right = float((kinds.argmax(1) == truth).mean())
        yield Score(
            f"type of place among all {len(PLACES)} and {ELSEWHERE}", right, where, n, (), most
        )
        own = float((one == truth).mean())
        yield Score(f"type of place among the set's {len(labels)}", own, where, n, (), most)
    right = float(((shares[:, 0] > 0.5) == (outdoor == 1)).mean())
    most = float(max(outdoor.mean(), 1 - outdoor.mean()))
    yield Score("outdoor, accuracy", right, "Intel and SUN-8, fifth held out", len(types), (), most)


def constant_answers(truth: Table, fold: NDArray[np.int64]) -> Table:
    """For each row the mean of the other folds: what one would say without looking."""
    means = np.stack([truth[fold != f].mean(0) for f in range(FOLDS)])
    return means[fold]


def shipped_places(model: Path, material: Material) -> Table:
    """(m, 16): what the shipped file says of the places held out."""
    engine = engines.load(model, "onnx", max_batch=16)
    position = [spec.name for spec in engine.outputs].index("place")
    files = [f for f, kept in zip(material.files, material.held_out, strict=True) if kept]
    rows = [
        engines.infer_rows(engine, frames_of(tuple(files[i : i + 16])).numpy())[position]
        for i in range(0, len(files), 16)
    ]
    engine.close()
    return np.concatenate(rows).astype(np.float64)


def map_scores(model: Path, material: Material) -> Iterator[Score]:
    """Whether the shipped maps show where the score comes from (`sanity.py`)."""
    network = restored(model)
    other = randomised(network, seed=0)
    files = some(np.array(material.files)[material.rated].tolist())
    for output, name in enumerate(NAMES[:2]):
        change = changes(network, files, output).mean(0)
        for k, tenth in enumerate(("raises", "lowers")):
            metric = f"change of {name} without the tenth that its map says {tenth} it"
            where = "OASIS, seen in training; constant: without a random tenth"
            yield Score(metric, float(change[k]), where, len(files), (), float(change[2]))
        alike = float(np.abs(likeness(network, other, files, output)).mean())
        metric = f"likeness of the map of {name} to a random network's, mean |r|"
        yield Score(metric, alike, "OASIS", len(files))


def scores(model: Path, material: Material, seen: Features) -> list[Score]:
    totals = left_out(material, seen)
    rated = list(rated_scores(totals, material))
    places = place_scores(shipped_places(model, material), material)
    return [*rated, *places, *map_scores(model, material)]


def written(score: Score) -> str:
    line = f"{score.value:8.3f}  n {score.n:4d}  {score.metric}  [{score.set}]"
    if score.constant is not None:
        line += f"  constant {score.constant:.3f}"
    if score.folds:
        line += "  folds " + " ".join(f"{part:.2f}" for part in score.folds)
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--model", type=Path, default=Path("tracker/weights/scene-s.onnx"))
    args: Any = parser.parse_args()
    torch.set_num_threads(1)
    material = load(args.shared)
    seen = features(new_network(args.shared), material, args.runs / "scene")
    for score in scores(args.model, material, seen):
        print(written(score))


if __name__ == "__main__":
    run(main)
