"""What a network makes of a picture, by its gradients: frames are (1, 3, H, W) in [-1, 1].

The runtime's maps need no gradient; these are the slower second opinions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from calibration.scene.network import STEP, SceneNetwork

STEPS, MOST = 32, 400  # parts of the path at first, and at last
CLOSE = 0.01  # of a score: pixels may miss its change by this
OCTAVES, GROWTH = 4, 1.4  # sizes of the ascent, and how much larger each is
CLIMB, CLIMBS = 0.015, 16  # mean change of a pixel in a step, of a range of 2; steps at each size
SHAKE = 16  # px, so that no grain grows on the network's own grid


def total_of(network: SceneNetwork, frames: Tensor, output: int) -> Tensor:
    """(n,): what the cells of map `output` add up to: affect before it is clipped, or a logit."""
    cells: Tensor = network.head(network.cells(frames))
    return cells[:, output].mean((1, 2))


def integrated(
    network: SceneNetwork, frame: Tensor, output: int
) -> tuple[NDArray[np.float32], float]:
    """How much each pixel (H, W) adds to the total, and by how much the whole picture changes it
    (integrated gradients, Sundararajan et al. 2017). The reference is the picture out of focus: a
    black one would say something too.

    Pixels add up to the change within CLOSE (their "completeness"): the path from the reference is
    cut finer where the total jumps. Raises ValueError if MOST parts do not suffice.
    """
    blank = blurred(frame)

    def total(share: float) -> float:
        with torch.no_grad():
            return float(total_of(network, blank + (frame - blank) * share, output)[0])

    def part(start: float, stop: float, low: float, high: float) -> _Part:
        at = (blank + (frame - blank) * ((start + stop) / 2)).requires_grad_(True)
        (slope,) = torch.autograd.grad(total_of(network, at, output).sum(), at)
        added = ((frame - blank) * slope).sum(1)[0] * (stop - start)
        return _Part(start, stop, low, high, added, high - low - float(added.sum()))

    edges = [k / STEPS for k in range(STEPS + 1)]
    totals = [total(edge) for edge in edges]
    parts = [part(*edges[k : k + 2], *totals[k : k + 2]) for k in range(STEPS)]
    while abs(sum(p.missed for p in parts)) > CLOSE:
        if len(parts) >= MOST:
            raise ValueError(f"{MOST} parts of the path miss the change of the score")
        worst = max(parts, key=lambda p: abs(p.missed))
        parts.remove(worst)
        middle = (worst.start + worst.stop) / 2
        value = total(middle)
        parts.append(part(worst.start, middle, worst.low, value))
        parts.append(part(middle, worst.stop, value, worst.high))
    return torch.stack([p.added for p in parts]).sum(0).numpy(), totals[-1] - totals[0]


@dataclass(frozen=True, eq=False)
class _Part:
    """Of the path from the reference to the picture."""

    start: float
    stop: float  # shares of the way
    low: float
    high: float  # totals there
    added: Tensor  # (H, W), by each pixel
    missed: float  # of the total's change, by the pixels


def ascended(network: SceneNetwork, frame: Tensor, output: int, sign: float) -> Tensor:
    """The picture changed so that the total rises (sign 1) or falls (-1): gradient ascent on the
    input, from coarse to fine ("deep dream", Mordvintsev et al. 2015)."""
    chance = torch.Generator().manual_seed(0)
    height, width = frame.shape[2:]
    detail = torch.zeros_like(frame)
    for octave in reversed(range(OCTAVES)):
        size = _cells(height / GROWTH**octave), _cells(width / GROWTH**octave)
        base = functional.interpolate(frame, size, mode="bilinear", antialias=True)
        detail = functional.interpolate(detail, size, mode="bilinear", antialias=True)
        for _ in range(CLIMBS):
            down, right = torch.randint(-SHAKE, SHAKE + 1, (2,), generator=chance).tolist()
            seen = torch.roll(base + detail, (down, right), (2, 3)).requires_grad_(True)
            (slope,) = torch.autograd.grad(total_of(network, seen, output).sum(), seen)
            slope = smooth(torch.roll(slope, (-down, -right), (2, 3)))
            step = sign * CLIMB * slope / (slope.abs().mean() + 1e-9)
            detail = (base + detail + step).clamp(-1, 1) - base
    return functional.interpolate((base + detail), (height, width), mode="bilinear").clamp(-1, 1)


def blurred(frame: Tensor) -> Tensor:
    """Only light and colour are left: a fourteenth of the size, and back."""
    height, width = frame.shape[2:]
    small = functional.interpolate(
        frame, (height // 14, width // 14), mode="bilinear", antialias=True
    )
    return functional.interpolate(small, (height, width), mode="bilinear")


def smooth(slope: Tensor) -> Tensor:
    """Without its finest grain and half of its colour, to which a network answers and a viewer
    does not."""
    slope = (slope + slope.mean(1, keepdim=True)) / 2
    return functional.avg_pool2d(slope, 5, 1, 2, count_include_pad=False)


def _cells(side: float) -> int:
    return max(1, round(side / STEP)) * STEP
