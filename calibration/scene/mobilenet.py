"""MobileNetV2 1.0 (Sandler et al. 2018), from the ImageNet weights in `shared/models`.

The file holds the dequantised layers of a TensorFlow Lite network, in graph order, with batch
normalisation folded into the convolutions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

WEIGHTS = "models/mobilenet_v2/tf2_mobilenet_v2_1.0_224_dequant_f32.npz"  # below shared
STRIDE = 32  # px of the picture that make one cell of the last map
WIDTH = 1280  # channels of the last map
CLASSES = 1001  # ImageNet's, after "background"
DEPTHWISE = "DEPTHWISE_CONV_2D"


class Conv(nn.Module):
    """A convolution with TensorFlow's SAME padding, and ReLU6 where asked for."""

    def __init__(self, weight: Tensor, bias: Tensor, stride: int, clipped: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(bias)
        self.stride = stride
        self.groups = weight.shape[0] if weight.shape[1] == 1 else 1
        self.clipped = clipped

    def forward(self, x: Tensor) -> Tensor:
        if self.weight.shape[-1] == 3:  # with stride 2, SAME pads an even side on the far end only
            x = functional.pad(x, (0, 1, 0, 1) if self.stride == 2 else (1, 1, 1, 1))
        x = functional.conv2d(x, self.weight, self.bias, self.stride, groups=self.groups)
        return functional.relu6(x) if self.clipped else x


class Block(nn.Module):
    """An inverted residual block: its input is added where the shapes agree."""

    def __init__(self, layers: list[Conv]) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if y.shape == x.shape else y


class MobileNetV2(nn.Module):
    """frames: (n, 3, H, W), RGB in [-1, 1], sides a multiple of 32."""

    def __init__(self, path: Path) -> None:
        """path: the npz. Raises OSError if it is not there."""
        super().__init__()
        with np.load(path) as file:
            layers = [
                (_shaped(file[f"w{i:02d}"], kind), torch.from_numpy(file[f"b{i:02d}"]), int(stride))
                for i, (kind, stride) in enumerate(zip(file["kinds"], file["strides"], strict=True))
            ]
        self.stem = Conv(*layers[0], clipped=True)
        body = layers[1:-2]
        blocks: list[Block] = []
        while body:
            size = 2 if not blocks else 3  # the first block has no expansion
            part, body = body[:size], body[size:]
            last = len(part) - 1
            blocks.append(Block([Conv(*p, clipped=i < last) for i, p in enumerate(part)]))
        self.blocks = nn.ModuleList(blocks)
        self.top = Conv(*layers[-2], clipped=True)
        self.classifier = Conv(*layers[-1], clipped=False)

    def forward(self, frames: Tensor) -> Tensor:
        """(n, 1001): ImageNet logits."""
        logits: Tensor = self.classifier(self.levels(frames)[-1].mean((2, 3), keepdim=True))
        return logits.flatten(1)

    def levels(self, frames: Tensor) -> list[Tensor]:
        """The maps after the stem, each block and the top: (n, c, h, w), h and w shrinking."""
        maps = [self.stem(frames)]
        for block in (*self.blocks, self.top):
            maps.append(block(maps[-1]))
        return maps


def _shaped(weight: NDArray[Any], kind: str) -> Tensor:
    """Stored (1, H, W, out) for depthwise, else (out, H, W, in); torch wants (out, in, H, W)."""
    order = (3, 0, 1, 2) if kind == DEPTHWISE else (0, 3, 1, 2)
    return torch.from_numpy(weight).permute(order).contiguous()
