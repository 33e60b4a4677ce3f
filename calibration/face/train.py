"""Trains the shipped face network from `shared` alone.

python -m calibration.face.train --shared ../shared --runs runs --out tracker/weights
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import torch

from calibration.face.augment import MILD
from calibration.face.fit import Recipe, fit
from calibration.face.material import load
from calibration.face.network import SHIPPED
from calibration.face.publish import milliseconds, publish

# Strong damage keeps a network of this size from fitting even its training pictures (83 % right
# on both sides after 13 epochs), so a second, longer training with mild damage goes on from there.
FIRST = Recipe(SHIPPED, epochs=16)
SECOND = replace(
    FIRST,
    shape=replace(SHIPPED, dropout=0.2),
    epochs=26,
    mixup=0.1,
    strength=MILD,
    seed=100,
)


def train(shared: Path, runs: Path, out: Path, first: Recipe, second: Recipe | None) -> Path:
    """The written card. The second training goes on from the first."""
    folder = runs / "face"
    material = load(shared, folder)
    network = fit(first, material, folder / "first")
    if second is not None:
        network = fit(second, material, folder / "second", network)
    card = publish(network, material.template, shared, out)
    print(f"{milliseconds(card.with_suffix('.onnx')):.2f} ms a face")
    return card


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("tracker/weights"))
    args = parser.parse_args()
    torch.set_num_threads(1)  # a second thread gains little and starves whoever shares the machine
    cv2.setNumThreads(1)
    train(args.shared, args.runs, args.out, FIRST, SECOND)


if __name__ == "__main__":
    main()
