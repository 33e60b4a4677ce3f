"""What the heads read of each picture: averages of ImageNet's maps, computed once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from calibration.scene.material import SIZE, Material, Table, frames_of
from calibration.scene.mobilenet import WEIGHTS, imagenet
from calibration.scene.network import BLOCKS, SceneNetwork

BATCH = 16  # pictures at once


@dataclass(frozen=True)
class Features:
    """What the heads read of every picture of a Material."""

    plain: Table  # (n, c), in the blocks of BLOCKS
    mirrored: Table  # (n, c)


def new_network(shared: Path) -> SceneNetwork:
    """ImageNet's body, with heads not yet fitted."""
    return SceneNetwork(imagenet(shared / WEIGHTS)).eval()


def features(network: SceneNetwork, material: Material, folder: Path, size: int = SIZE) -> Features:
    """Computed once, then read from `folder`/features.npz; delete it if the pictures change.

    size: px, of the square that a picture is brought to.
    """
    path = folder / "features.npz"
    if path.exists():
        with np.load(path) as file:
            plain, mirrored = file["plain"], file["mirrored"]
        if plain.shape != (len(material), sum(BLOCKS)):
            raise ValueError(f"{path}: made from other pictures or words; delete it")
        return Features(plain, mirrored)
    network.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    plain, mirrored = (
        features_of(network, material.files, turned, size) for turned in (False, True)
    )
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(path, plain=plain, mirrored=mirrored)
    return Features(plain, mirrored)


@torch.no_grad()
def features_of(
    network: SceneNetwork, files: tuple[Path, ...], mirrored: bool = False, size: int = SIZE
) -> Table:
    """(n, c): what the heads read, averaged over each picture."""
    device = network.head.weight.device
    bar = tqdm(range(0, len(files), BATCH), desc="features", unit="batch", mininterval=5)
    parts = [
        network.cells(frames_of(files[i : i + BATCH], mirrored, size).to(device)).mean((2, 3)).cpu()
        for i in bar
    ]
    return torch.cat(parts).double().numpy()
