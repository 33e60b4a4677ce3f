"""What the scene's scores are when nothing was chosen on the themes that score it.

python -m calibration.scene.nested --shared ../shared --runs runs

The input's size, the share of the whole picture in naming its parts and the weight of the words
that ship were chosen on the five folds that also score them. Here each fold is asked about by heads
whose way of looking was chosen on the other four alone: there each of the four is left out in turn,
and the way with the least squared error of valence and arousal is taken.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product, starmap
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from calibration.samples import run
from calibration.scene.evaluate import agreement, written
from calibration.scene.features import Features, features
from calibration.scene.heads import affect_head, felt_by, spread_head
from calibration.scene.linear import Linear, side_by_side
from calibration.scene.material import Material, Rows, Table, load
from calibration.scene.mobilenet import WEIGHTS, imagenet
from calibration.scene.network import SceneNetwork
from calibration.scene.pictures import FOLDS

SIZES = (224, 256, 288)  # px
WHOLES = (0.0, 0.5, 1.0)
WORDS = (0.1, 0.3, 1.0, 3.0)  # weight of the words' valence and arousal


@dataclass(frozen=True)
class Look:
    """What the features depend on."""

    size: int  # px, of the input
    whole: float  # share of the whole picture in naming a part


@dataclass(frozen=True)
class Way:
    look: Look
    words: float


@dataclass(frozen=True)
class Chosen:
    """What one fold is asked with; nothing of it has seen that fold."""

    way: Way
    error: float  # root of the mean squared error, of both axes, where it was chosen
    heads: Linear  # to valence, arousal, and their spreads before softplus


Seen = Mapping[Look, Features]  # of the same rated pictures


class Blended(SceneNetwork):
    """With another share of the whole than the half that ships."""

    def __init__(self, shared: Path, share: float) -> None:
        super().__init__(imagenet(shared / WEIGHTS))
        self.share = share

    def blended(self, parts: Tensor, whole: Tensor) -> Tensor:
        return (1 - self.share) * parts + self.share * whole


def chosen(seen: Seen, material: Material, rows: Rows) -> Chosen:
    """From `rows` alone, whose folds are left out in turn."""
    ways = [Way(look, words) for look, words in product(seen, WORDS)]
    errors = [_error(seen[way.look], material, rows, way.words) for way in ways]
    best = int(np.argmin(errors))
    way, features = ways[best], seen[ways[best].look]
    felt, scale = felt_by(features, rows, way.words)
    heads = affect_head(felt, material, rows), spread_head(felt, material, rows)
    return Chosen(way, errors[best], scale.undone(side_by_side(heads)))


def nested(seen: Seen, material: Material) -> Iterator[Chosen]:
    """For each fold in turn."""
    for fold in tqdm(range(FOLDS), desc="folds"):
        yield chosen(seen, material, material.training(fold))


def answers(seen: Seen, material: Material, found: list[Chosen]) -> Table:
    """(n, 4): valence, arousal and their spreads, each picture by its own fold's heads."""
    totals = np.full((len(material), 4), np.nan)
    for fold, one in enumerate(found):
        test = material.fold == fold
        totals[test] = one.heads(seen[one.way.look].plain[test])
    return np.concatenate([totals[:, :2].clip(-1, 1), np.logaddexp(0, totals[:, 2:])], 1)


def _error(seen: Features, material: Material, rows: Rows, words: float) -> float:
    wrong = []
    for fold in np.unique(material.fold[rows]):
        kept, asked = rows[material.fold[rows] != fold], rows[material.fold[rows] == fold]
        felt, scale = felt_by(seen, kept, words)
        head = scale.undone(affect_head(felt, material, kept))
        wrong.append(head(seen.plain[asked]).clip(-1, 1) - material.affect[asked])
    return float(np.sqrt((np.concatenate(wrong) ** 2).mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    every = load(args.shared)
    material = every.only(every.rated)
    seen = {
        look: features(
            Blended(args.shared, look.whole).eval(),
            material,
            args.runs / f"scene-{look.size}-{look.whole}",
            look.size,
        )
        for look in starmap(Look, product(SIZES, WHOLES))
    }
    found = list(nested(seen, material))
    for fold, one in enumerate(found):
        look = one.way.look
        print(
            f"fold {fold}: {look.size} px, whole {look.whole}, words {one.way.words}"
            f" (error where chosen {one.error:.4f})"
        )
    truth = np.concatenate([material.affect, material.spread], 1)
    for score in agreement(answers(seen, material, found), truth, material.fold):
        print(written(score))


if __name__ == "__main__":
    run(main)
