"""Trains the shipped face network from `shared` alone.

python -m calibration.face.train --shared ../shared --runs runs --out tracker/weights
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import torch

from calibration.face.augment import LIGHT, MILD
from calibration.face.blend import blended
from calibration.face.fit import Recipe, fit
from calibration.face.material import load
from calibration.face.network import SHIPPED
from calibration.face.publish import milliseconds, publish
from calibration.samples import run

# Strong damage keeps a network of this size from fitting even its training pictures (83 % right
# on both sides after 13 epochs), so more trainings go on from there with less and less of it; the
# long fourth one begins warm again, for two rounds of a falling rate end better than one. Ending
# with as little damage as the third made the fourth worse.
FIRST = Recipe(SHIPPED, epochs=16)
SECOND = replace(
    FIRST,
    shape=replace(SHIPPED, dropout=0.2),
    epochs=26,
    mixup=0.1,
    strength=MILD,
    seed=100,
)
THIRD = replace(
    SECOND,
    shape=replace(SHIPPED, dropout=0.1),
    epochs=10,
    rate=1.5e-3,
    mixup=0.05,
    seven=0.15,  # FER2013's labels disagree with the votes on 38 % of the pictures
    strength=LIGHT,
    seed=200,
)
FOURTH = replace(THIRD, epochs=40, rate=3e-3, mixup=0.1, strength=MILD, seed=300)
USED = (
    "bfloat16 and channels-last tensors, pictures decoded once, mixup, damage such as webcams do, "
    "a running average of the weights, of each training its best epoch by the validation pictures; "
    "no teacher network; what ships reads a picture once, not its mirror image as well"
)
STAGES = {
    "first": FIRST,
    "second": SECOND,
    "third": THIRD,
    "warm": FOURTH,
}


def train(shared: Path, runs: Path, out: Path, stages: Mapping[str, Recipe]) -> Path:
    """The written card. Each training goes on from the one before, in a folder of its name; what
    ships lies between the last two."""
    folder = runs / "face"
    material = load(shared, folder)
    earlier, network, share = None, None, 1.0
    for name, recipe in stages.items():
        earlier, network = network, fit(recipe, material, folder / name, network)
    if network is None:
        raise ValueError("no training was asked for")
    if earlier is not None:
        network, share = blended(earlier, network, material.valid)
        print(f"{share:.0%} of the last training's weights, the rest of the one before")
    card = publish(network, material.template, shared, out, described(stages, share))
    print(f"{milliseconds(card.with_suffix('.onnx')):.2f} ms a face")
    return card


def described(stages: Mapping[str, Recipe], share: float) -> dict[str, Any]:
    """What the card says of the training. share: of the last training's weights in what ships."""
    return {
        "command": "python -m calibration.face.train",
        "stages": {name: asdict(recipe) for name, recipe in stages.items()},
        "share_of_last": share,
        "used": USED,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("tracker/weights"))
    args = parser.parse_args()
    torch.set_num_threads(1)  # a second thread gains little and starves whoever shares the machine
    cv2.setNumThreads(1)
    train(args.shared, args.runs, args.out, STAGES)


if __name__ == "__main__":
    run(main)
