"""MobileNetV2 1.0 (Sandler et al. 2018), and ImageNet's weights for it from `shared/models`.

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
STEM, TOP = 32, 1280  # channels of the first and the last map
CLASSES = 1001  # ImageNet's, after "background"
STAGES = (  # expansion, channels, blocks, stride of the first (Sandler et al. 2018, table 2)
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
WIDTHS = (STEM, *(wide for _, wide, blocks, _ in STAGES for _ in range(blocks)), TOP)  # `levels`
DEPTHWISE = "DEPTHWISE_CONV_2D"


class Conv(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding, and ReLU6 where asked for."""

    def __init__(
        self, width: int, wide: int, size: int = 1, stride: int = 1, groups: int = 1, *, clip: bool
    ) -> None:
        super().__init__(width, wide, size, stride, groups=groups)
        self.clip = clip

    def forward(self, x: Tensor) -> Tensor:
        if self.kernel_size == (3, 3):  # with stride 2, SAME pads an even side on its far end only
            x = functional.pad(x, (0, 1, 0, 1) if self.stride == (2, 2) else (1, 1, 1, 1))
        y = super().forward(x)
        return functional.relu6(y) if self.clip else y


class Block(nn.Module):
    """An inverted residual block: its input is added where the shapes agree."""

    def __init__(self, width: int, wide: int, expansion: int, stride: int) -> None:
        super().__init__()
        inner = width * expansion
        layers = [Conv(width, inner, clip=True)] if expansion > 1 else []
        layers.append(Conv(inner, inner, 3, stride, inner, clip=True))
        layers.append(Conv(inner, wide, clip=False))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if y.shape == x.shape else y


class MobileNetV2(nn.Module):
    """frames: (n, 3, H, W), RGB in [-1, 1], sides a multiple of 32. New weights are random."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(3, STEM, 3, 2, clip=True)
        blocks, width = [], STEM
        for expansion, wide, count, stride in STAGES:
            for i in range(count):
                blocks.append(Block(width, wide, expansion, 1 if i else stride))
                width = wide
        self.blocks = nn.ModuleList(blocks)
        self.top = Conv(width, TOP, clip=True)
        self.classifier = Conv(TOP, CLASSES, clip=False)

    def forward(self, frames: Tensor) -> Tensor:
        """(n, 1001): ImageNet logits."""
        logits: Tensor = self.classifier(self.levels(frames)[-1].mean((2, 3), keepdim=True))
        return logits.flatten(1)

    def levels(self, frames: Tensor) -> list[Tensor]:
        """The maps after the stem, each block and the top: (n, WIDTHS[i], h, w)."""
        maps = [self.stem(frames)]
        for block in (*self.blocks, self.top):
            maps.append(block(maps[-1]))
        return maps


def imagenet(path: Path) -> MobileNetV2:
    """With the weights of the npz at `path`. Raises OSError if it is not there."""
    with torch.device("meta"):  # draws no weights that are replaced at once
        network = MobileNetV2()
    convolutions = [module for module in network.modules() if isinstance(module, Conv)]
    with np.load(path) as file:
        for i, (convolution, kind) in enumerate(zip(convolutions, file["kinds"], strict=True)):
            weight = _shaped(file[f"w{i:02d}"], str(kind))
            bias = torch.from_numpy(file[f"b{i:02d}"])
            convolution.load_state_dict({"weight": weight, "bias": bias}, assign=True)
    return network.eval()


def _shaped(weight: NDArray[Any], kind: str) -> Tensor:
    """Stored (1, H, W, out) for depthwise, else (out, H, W, in); torch wants (out, in, H, W)."""
    order = (3, 0, 1, 2) if kind == DEPTHWISE else (0, 3, 1, 2)
    return torch.from_numpy(weight).permute(order).contiguous()
