"""The network: a plain residual one with three maps, shaped by what ONNX Runtime does fast."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

VALUES = 15  # of a cell: score, box (4), five points (10)
RARE = -4.6  # logit of a face in a cell before anything is learnt: 1 %


class Detector(nn.Module):
    """(n, 3, H, W) RGB 0..255 -> score (n, A) as logits, geometry (n, 14, A).

    A: the cells of stride 8, 16 and 32 behind each other; see tracker.detectors.boxes.decode.
    light: one convolution to a quarter of the picture's side in place of two: a quarter less time.
    """

    def __init__(self, *, light: bool = False) -> None:
        super().__init__()
        self.light = light
        self.stem = (
            nn.Sequential(conv(3, 32, 5, 4))
            if light
            else nn.Sequential(conv(3, 16, 3, 2), conv(16, 32, 3, 2))
        )
        self.fine = nn.Sequential(conv(32, 48, 3, 2), Narrow(48, 32))
        self.middle = nn.Sequential(conv(48, 64, 3, 2), Narrow(64, 32), Narrow(64, 32))
        self.coarse = nn.Sequential(conv(64, 96, 3, 2), Narrow(96, 48), Narrow(96, 48))
        self.sides = nn.ModuleList([plain(48, 32), plain(64, 32), plain(96, 32)])
        self.heads = nn.ModuleList([conv(32, 32, 3) for _ in range(3)])
        self.outs = nn.ModuleList([nn.Conv2d(32, VALUES, 1) for _ in range(3)])
        for out in self.outs:
            assert isinstance(out, nn.Conv2d)
            assert out.bias is not None
            nn.init.normal_(out.weight, std=0.01)
            nn.init.zeros_(out.bias)
            nn.init.constant_(out.bias[0], RARE)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        fine = self.fine(self.stem(image))
        middle = self.middle(fine)
        maps = [
            side(x) for side, x in zip(self.sides, (fine, middle, self.coarse(middle)), strict=True)
        ]
        maps[1] = maps[1] + functional.interpolate(maps[2], scale_factor=2.0)
        maps[0] = maps[0] + functional.interpolate(maps[1], scale_factor=2.0)
        cells = [
            out(head(functional.relu(x))).flatten(2)
            for out, head, x in zip(self.outs, self.heads, maps, strict=True)
        ]
        values = torch.cat(cells, 2)
        return values[:, 0], values[:, 1:]


class Narrow(nn.Module):
    """Residual block through fewer channels: a 3 x 3 there costs a quarter."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.down = conv(width, inner, 1)
        self.mix = conv(inner, inner, 3)
        self.up = plain(inner, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(x + self.up(self.mix(self.down(x))))


class Shipped(nn.Module):
    """What is exported: normalisation folded in, probabilities out, batch norms merged."""

    def __init__(self, network: Detector) -> None:
        super().__init__()
        self.network = merged(network)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits, geometry = self.network(image)
        return torch.sigmoid(logits), geometry


def conv(inside: int, outside: int, size: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )


def plain(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 1, bias=False), nn.BatchNorm2d(outside), nn.Identity()
    )


def merged(network: Detector) -> Detector:
    """A copy in which every batch norm has become part of its convolution."""
    network = copy.deepcopy(network).eval()
    for module in network.modules():
        if isinstance(module, nn.Sequential) and isinstance(module[0], nn.Conv2d):
            norm = module[1]
            assert isinstance(norm, nn.BatchNorm2d)
            module[0] = fuse_conv_bn_eval(module[0], norm)
            module[1] = nn.Identity()
    return network
