"""Trains the shipped face network from `shared` alone.

python -m calibration.face.train --shared ../shared --runs runs --out tracker/weights
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import torch

from calibration.face.fit import Recipe, fit
from calibration.face.material import load
from calibration.face.network import SHIPPED
from calibration.face.publish import milliseconds, publish

FIRST = Recipe(SHIPPED, epochs=16)
SECOND = replace(FIRST, epochs=20, rate=2e-3)


def train(shared: Path, runs: Path, out: Path, first: Recipe, second: Recipe | None) -> Path:
    """The written card. The second training starts from the first and hears its opinions too."""
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
