"""The convolutional network: a grey crop in, affect, expression and features out.

Plain 3x3 residual blocks (He et al. 2016): ONNX Runtime runs widths that are multiples of 32
twice as fast as others, and separable layers gain nothing at this size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

SPREAD_FLOOR = 4.0  # grey levels added to a crop's spread: noise on a flat crop stays small


class Readings(NamedTuple):
    """What the heads say of n crops."""

    affect: Tensor  # (n, 2), -1..1
    expression: Tensor  # (n, 8), logits
    seven: Tensor  # (n, 7), logits of FER2013's labels: a second opinion for training only
    features: Tensor  # (n, k)


@dataclass(frozen=True)
class Shape:
    """A network's size: channels and blocks of each stage; each but the first halves the crop."""

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    dropout: float = 0.3  # share of features that the heads do without, while training


SHIPPED = Shape((32, 64, 128, 192), (1, 2, 2, 1))  # 1.26 M parameters, 1 ms a face


class FaceNetwork(nn.Module):
    """crops: (n, 1, S, S), grey levels 0..255."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        first, last = shape.widths[0], shape.widths[-1]
        layers: list[nn.Module] = [
            nn.Conv2d(1, first, 5, 2, 2, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
        ]
        width = first
        for stage, (wide, deep) in enumerate(zip(shape.widths, shape.depths, strict=True)):
            for block in range(deep):
                layers.append(Residual(width, wide, 2 if stage and not block else 1))
                width = wide
        self.body = nn.Sequential(*layers)
        self.dropout = nn.Dropout(shape.dropout)
        self.affect = nn.Linear(last, 2)
        self.expression = nn.Linear(last, 8)
        self.seven = nn.Linear(last, 7)

    def forward(self, crops: Tensor) -> Readings:
        return self.heads(self.look(crops))

    def look(self, crops: Tensor) -> Tensor:
        """(n, k): the features. Apart from `heads`, so that only this part may run in bfloat16."""
        maps: Tensor = self.body(normalised(crops))
        return maps.mean((2, 3))

    def heads(self, features: Tensor) -> Readings:
        kept = self.dropout(features)
        affect = torch.tanh(self.affect(kept))
        return Readings(affect, self.expression(kept), self.seven(kept), features)


class Residual(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, width: int, wide: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, wide, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(wide)
        self.second = nn.Conv2d(wide, wide, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(wide)
        around: list[nn.Module] = [nn.AvgPool2d(2)] if stride == 2 else []
        if stride == 2 or width != wide:
            around += [nn.Conv2d(width, wide, 1, bias=False), nn.BatchNorm2d(wide)]
        self.around = nn.Sequential(*around)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.first_norm(self.first(x)))
        return functional.relu(self.second_norm(self.second(y)) + self.around(x))


def normalised(crops: Tensor) -> Tensor:
    """Each crop with mean 0 and spread near 1, so that a dark or flat picture looks like others."""
    crops = crops.float()
    centred = crops - crops.mean((2, 3), keepdim=True)
    spread = centred.square().mean((2, 3), keepdim=True).sqrt()
    return centred / (spread + SPREAD_FLOOR)


class Shipped(nn.Module):
    """The exported graph: units of the card, temperature included (Guo et al. 2017)."""

    def __init__(self, network: FaceNetwork, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature

    def forward(self, face: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        out = self.network(face)
        return out.affect, torch.softmax(out.expression / self.temperature, 1), out.features
