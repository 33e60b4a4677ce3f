"""Do the maps show where the score comes from? Two tests that a pretty picture can fail.

Erasing: without the tenth of the picture that a map says raises the score, it must fall further
than without a tenth taken at random, and without the tenth that lowers it, rise further.
Randomising (Adebayo et al. 2018, "Sanity checks for saliency maps"): a network with random weights
must draw another map.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from calibration.scene.gradients import total_of
from calibration.scene.material import frames_of
from calibration.scene.network import SceneNetwork
from calibration.scene.pictures import bucket

ERASED = 0.1  # share of the cells
DRAWS = 4  # of cells at random, for each picture
PICTURES = 40  # of OASIS, the first by `bucket`


def some(files: Sequence[Path], count: int = PICTURES) -> tuple[Path, ...]:
    """The same few pictures each time."""
    return tuple(sorted(files, key=lambda path: bucket(path.name))[:count])


@torch.no_grad()
def changes(network: SceneNetwork, files: Sequence[Path], output: int) -> NDArray[np.float64]:
    """(n, 3): how the score of each picture changes without the cells that its map says raise it
    most, without those that lower it most, and without as many at random (mean of DRAWS)."""
    chance = np.random.default_rng(0)
    rows = []
    for file in files:
        frame = frames_of((file,))
        cells = network.head(network.cells(frame))[0, output]
        count = max(1, round(ERASED * cells.numel()))
        order = torch.argsort(cells.flatten())
        picks = [order[-count:], order[:count]]
        picks += [torch.from_numpy(chance.permutation(cells.numel())[:count]) for _ in range(DRAWS)]
        frames = torch.cat([without(frame, pick, *cells.shape) for pick in picks])
        change = (total_of(network, frames, output) - cells.mean()).double().numpy()
        rows.append([change[0], change[1], change[2:].mean()])
    return np.array(rows)


def without(frame: Tensor, pick: Tensor, rows: int, columns: int) -> Tensor:
    """(1, 3, H, W): the picked of rows x columns cells in the mean colour of the picture."""
    high, wide = frame.shape[2] // rows, frame.shape[3] // columns
    mask = torch.zeros(rows * columns)
    mask[pick] = 1
    mask = mask.view(rows, columns).repeat_interleave(high, 0).repeat_interleave(wide, 1)
    return torch.where(mask > 0, frame.mean((2, 3), keepdim=True), frame)


@torch.no_grad()
def likeness(
    one: SceneNetwork, other: SceneNetwork, files: Sequence[Path], output: int
) -> NDArray[np.float64]:
    """(n,): correlation of the two networks' maps over the cells of each picture."""
    values = []
    for file in files:
        frame = frames_of((file,))
        maps = [n.head(n.cells(frame))[0, output].flatten().double().numpy() for n in (one, other)]
        values.append(np.corrcoef(*maps)[0, 1])
    return np.array(values)


@torch.no_grad()
def randomised(network: SceneNetwork, seed: int) -> SceneNetwork:
    """A network of the same shape whose every weight is drawn anew, as large as the old ones."""
    torch.manual_seed(seed)
    other = SceneNetwork(type(network.body)())
    for new, old in zip(other.parameters(), network.parameters(), strict=True):
        nn.init.normal_(new, float(old.mean()), float(old.std()) if old.numel() > 1 else 1.0)
    return other.eval()
