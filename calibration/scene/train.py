"""Makes the shipped scene network from `shared` alone.

python -m calibration.scene.train --shared ../shared --runs runs --out tracker/weights

ImageNet's network stays as it is; the heads are solved for, not searched, so the outcome depends
on no seed. Read `train` first.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import torch

from calibration.samples import run
from calibration.scene.features import features, new_network
from calibration.scene.heads import fitted_heads, put
from calibration.scene.material import load
from calibration.scene.publish import publish


def train(shared: Path, runs: Path, out: Path) -> Path:
    """The written card."""
    folder = runs / "scene"
    material = load(shared)
    seen = features(new_network(shared), material, folder)
    network = new_network(shared)
    put(network, fitted_heads(seen, material, material.training(None)))
    return publish(network, material, seen, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("tracker/weights"))
    args = parser.parse_args()
    torch.set_num_threads(1)  # a second thread gains little and starves whoever shares the machine
    cv2.setNumThreads(1)
    print(train(args.shared, args.runs, args.out))


if __name__ == "__main__":
    run(main)
