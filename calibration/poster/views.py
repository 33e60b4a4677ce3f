"""What a network says of crops: of each alone, or the mean over several ways to look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from calibration.poster.network import TwoParts


@dataclass(frozen=True)
class View:
    """A way to look at a crop."""

    mirror: bool = False
    x: int = 0  # px to the right
    y: int = 0  # px down


ALONE = (View(),)
MIRRORED = (View(), View(mirror=True))
TEN = tuple(
    View(m, x, y) for m in (False, True) for x, y in ((0, 0), (2, 0), (-2, 0), (0, 2), (0, -2))
)


@torch.no_grad()
def answers(network: TwoParts, crops: Tensor, views: Sequence[View] = MIRRORED) -> Tensor:
    """(n, k): the mean of what is said of each (n, 1, S, S) uint8 crop, seen in these ways."""
    parts = []
    for start in range(0, len(crops), 256):
        some = crops[start : start + 256].float()
        opinions = [read(network, seen(some, view)) for view in views]
        parts.append(torch.stack(opinions).mean(0))
    return torch.cat(parts)


def seen(crops: Tensor, view: View) -> Tensor:
    """Crops moved and mirrored; beyond their edge its pixels are repeated."""
    size, reach = crops.shape[-1], max(abs(view.x), abs(view.y))
    wide = functional.pad(crops, (reach,) * 4, mode="replicate") if reach else crops
    top, left = reach - view.y, reach - view.x
    moved = wide[:, :, top : top + size, left : left + size]
    return moved.flip(3) if view.mirror else moved


def read(network: TwoParts, crops: Tensor) -> Tensor:
    """bfloat16 halves the time on processors with AMX; head and loss stay in float32."""
    with torch.autocast("cpu", torch.bfloat16):
        features = network.look(crops.contiguous(memory_format=torch.channels_last))
    return network.head(features.float())
