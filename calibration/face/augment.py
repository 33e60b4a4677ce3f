"""What a camera, a codec and a hand do to a crop, and what a detector does to its framing.

All functions take float32 (n, 1, S, S), grey levels 0..255, and give the same. Randomness comes
from torch's global generator, so a seed per epoch repeats it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Strength:
    """How much is done to the pictures; of the ranges, each side of nothing."""

    turn: float  # rad
    scale: float  # of the size, as a logarithm
    shift: float  # of the side of the crop
    aligned: float  # share of FER+ pictures shown in the template's frame, not in their own
    damaged: float  # share of pictures that get one damage
    covered: float  # share of pictures with something in front


STRONG = Strength(turn=0.30, scale=0.20, shift=0.11, aligned=0.35, damaged=0.35, covered=0.30)
MILD = Strength(turn=0.22, scale=0.16, shift=0.08, aligned=0.25, damaged=0.22, covered=0.20)
LIGHT = Strength(turn=0.18, scale=0.13, shift=0.06, aligned=0.20, damaged=0.22, covered=0.15)


# Quantisation of grey at quality 50 (ITU-T T.81, table K.1).
JPEG_TABLE = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)


def uniform(like: Tensor, low: float, high: float, *shape: int) -> Tensor:
    """Random numbers where `like` is."""
    return low + (high - low) * torch.rand(*shape, device=like.device)


def warped(crops: Tensor, views: Tensor, strength: Strength) -> Tensor:
    """Mirror, turn, scale and shift at random.

    views: (n, 2, 3), each picture's way to the template's frame, used for some of them.
    """
    n, size = len(crops), crops.shape[-1]
    angle = uniform(crops, -strength.turn, strength.turn, n)
    scale = torch.exp(uniform(crops, -strength.scale, strength.scale, n))
    mirror = torch.where(uniform(crops, 0, 1, n) < 0.5, -1.0, 1.0)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    shift = uniform(crops, -strength.shift, strength.shift, n, 2) * 2
    # Sampling runs backwards: from the new crop to the old one, sides at -1 and 1.
    row_x = torch.stack([cos * mirror, -sin, shift[:, 0]], 1)
    row_y = torch.stack([sin * mirror, cos, shift[:, 1]], 1)
    back = torch.stack([row_x, row_y], 1)
    use = (uniform(crops, 0, 1, n) < strength.aligned).float()[:, None, None]
    back = torch.where(use > 0, _after(_backwards(views, size), back), back)
    grid = functional.affine_grid(back, [n, 1, size, size], align_corners=False)
    return functional.grid_sample(crops, grid, padding_mode="border", align_corners=False)


def damaged(crops: Tensor, strength: Strength) -> Tensor:
    """Light and contrast for all; blur, few pixels, JPEG, darkness or noise for some."""
    n = len(crops)
    mean = crops.mean((2, 3), keepdim=True)
    contrast, light = uniform(crops, 0.6, 1.4, n, 1, 1, 1), uniform(crops, -40, 40, n, 1, 1, 1)
    crops = ((crops - mean) * contrast + mean + light).clamp(0, 255)
    kinds: list[Callable[[Tensor], Tensor]] = [blurred, coarse, jpeg, dark, noisy]
    kind_of = torch.randint(0, len(kinds), (n,), device=crops.device)
    which = torch.where(uniform(crops, 0, 1, n) < strength.damaged, kind_of, -1)
    for kind, damage in enumerate(kinds):
        rows = (which == kind).nonzero()[:, 0]
        if len(rows):
            crops[rows] = damage(crops[rows])
    return crops


def blurred(crops: Tensor) -> Tensor:
    """Out of focus or moving: a Gaussian of sigma up to 2.2 px, another in each direction."""
    n, reach = len(crops), 4
    at = torch.arange(-reach, reach + 1.0, device=crops.device)
    kernels = []
    for _ in range(2):
        kernel = torch.exp(-0.5 * (at / uniform(crops, 0.3, 2.2, n, 1)) ** 2)
        kernels.append(kernel / kernel.sum(1, keepdim=True))
    as_channels = functional.pad(crops.transpose(0, 1), (reach,) * 4, mode="replicate")
    across = functional.conv2d(as_channels, kernels[0][:, None, None, :], groups=n)
    return functional.conv2d(across, kernels[1][:, None, :, None], groups=n).transpose(0, 1)


def coarse(crops: Tensor) -> Tensor:
    """A small face enlarged: down to 14..36 px and back."""
    size = crops.shape[-1]
    small = int(torch.randint(14, 37, ()))
    less = functional.interpolate(crops, (small, small), mode="area")
    mode = "bilinear" if torch.rand(()) < 0.5 else "bicubic"
    return functional.interpolate(less, (size, size), mode=mode, align_corners=False).clamp(0, 255)


def jpeg(crops: Tensor) -> Tensor:
    """Compressed once, quality 8..60: the lossy half of JPEG, blocks of 8 px rounded as cosines.

    The side of the crops must be a multiple of 8.
    """
    n, size = len(crops), crops.shape[-1]
    quality = torch.randint(8, 61, (n, 1, 1, 1, 1), device=crops.device).float()
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    table = torch.tensor(JPEG_TABLE, dtype=torch.float32, device=crops.device).view(8, 8)
    steps = ((table * scale + 50) / 100).floor().clamp(1, 255)
    cosines = _cosines().to(crops.device)
    blocks = crops.reshape(n, size // 8, 8, size // 8, 8).transpose(2, 3) - 128
    kept = (cosines @ blocks @ cosines.T / steps).round() * steps
    back = (cosines.T @ kept @ cosines).transpose(2, 3).reshape(n, 1, size, size)
    return (back + 128).round().clamp(0, 255)


def _cosines() -> Tensor:
    """(8, 8): the orthonormal cosine transform of eight values (ITU-T T.81, A.3.3)."""
    at = torch.arange(8.0)
    waves = torch.cos((2 * at + 1) * at[:, None] * math.pi / 16) / 2
    waves[0] /= math.sqrt(2)
    return waves


def dark(crops: Tensor) -> Tensor:
    """Little light, its noise, and one side in shadow; rounded as a camera does."""
    n, size = len(crops), crops.shape[-1]
    level = torch.exp(uniform(crops, -2.3, -0.4, n, 1, 1, 1))
    x = torch.linspace(-1, 1, size, device=crops.device)
    across, down = (uniform(crops, -share, share, n, 1, 1, 1) for share in (0.7, 0.3))
    side = 1 + across * x + down * x[:, None]
    noise = torch.randn_like(crops) * uniform(crops, 0, 3, n, 1, 1, 1)
    return ((crops * level * side.clamp(0.1, 2)) + noise).clamp(0, 255).round()


def noisy(crops: Tensor) -> Tensor:
    sigma = uniform(crops, 3, 25, len(crops), 1, 1, 1)
    return (crops + torch.randn_like(crops) * sigma).clamp(0, 255)


def covered(crops: Tensor, strength: Strength) -> Tensor:
    """A box anywhere, a bar over the eyes or a blob on the lower face, in one grey or in noise."""
    n, size = len(crops), crops.shape[-1]
    x = torch.arange(size, device=crops.device) + 0.5
    y = x[:, None]
    centre = uniform(crops, 0, size, n, 2, 1, 1)
    half = uniform(crops, 0.06, 0.24, n, 2, 1, 1) * size
    kind = torch.randint(0, 4, (n, 1, 1), device=crops.device)  # 0, 1: box; 2: bar; 3: blob
    eyes = uniform(crops, 0.33, 0.46, n, 1, 1) * size
    cy = torch.where(kind == 2, eyes, centre[:, 1])
    cx = torch.where(kind >= 2, uniform(crops, 0.3, 0.7, n, 1, 1) * size, centre[:, 0])
    cy = torch.where(kind == 3, uniform(crops, 0.65, 1.0, n, 1, 1) * size, cy)
    wide = torch.where(kind == 2, uniform(crops, 0.3, 0.5, n, 1, 1) * size, half[:, 0])
    high = torch.where(kind == 2, uniform(crops, 0.03, 0.09, n, 1, 1) * size, half[:, 1])
    across, down = (x - cx).abs() / wide, (y - cy).abs() / high
    inside = torch.where(kind == 3, across**2 + down**2 < 1, (across < 1) & (down < 1))
    inside = inside & (uniform(crops, 0, 1, n, 1, 1) < strength.covered)
    grain = torch.randn_like(crops) * uniform(crops, 0, 30, n, 1, 1, 1)
    fill = (uniform(crops, 0, 255, n, 1, 1, 1) + grain).clamp(0, 255)
    return torch.where(inside[:, None], fill, crops)


def augmented(crops: Tensor, views: Tensor, strength: Strength) -> Tensor:
    """Everything above, in the order in which it happens to a face."""
    return damaged(covered(warped(crops, views, strength), strength), strength)


def _backwards(views: Tensor, size: int) -> Tensor:
    """Pixel matrices old -> new as sampling matrices new -> old, sides at -1 and 1."""
    turn = torch.linalg.inv(views[:, :, :2])
    shift = -(turn @ views[:, :, 2:])[:, :, 0]  # px
    half = size / 2
    # old_px = turn @ new_px + shift, and px = half * (unit + 1)
    moved = (turn.sum(2) * half + shift) / half - 1
    return torch.cat([turn, moved[:, :, None]], 2)


def _after(outer: Tensor, inner: Tensor) -> Tensor:
    """outer(inner(x)) of two batches of (2, 3) matrices."""
    turn = outer[:, :, :2] @ inner[:, :, :2]
    shift = outer[:, :, :2] @ inner[:, :, 2:] + outer[:, :, 2:]
    return torch.cat([turn, shift], 2)
