"""Where a network for whole pictures begins: backbones by name. Read `open_backbone` first.

small                 three convolutions, untrained: for made sets and for tests
mobilenet-v2          ours: trained on ImageNet, of shared/models
inception-v3          timm's, trained on ImageNet
inception-resnet-v2   timm's, trained on ImageNet
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from calibration.samples import RecipeError

TIMM = {"inception-v3": "inception_v3", "inception-resnet-v2": "inception_resnet_v2"}
NAMES = ("small", "mobilenet-v2", *TIMM)
MOBILENET = "models/mobilenet_v2/tf2_mobilenet_v2_1.0_224_dequant_f32.npz"  # below shared
NEEDS_TIMM = "pip install timm, and the torchvision that belongs to your torch"
HALF = (0.5, 0.5, 0.5)
UNTRAINED = "nothing: random weights"


@dataclass(frozen=True)
class Backbone:
    """body: pictures (n, 3, S, S) as (value / 255 - mean) / std -> maps (n, width, h, w)."""

    name: str
    body: nn.Module
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    size: int  # S it was made for, px
    origin: str  # whose weights it starts from, for the card


def open_backbone(name: str, shared: Path, *, untrained: bool = False) -> Backbone:
    """A fresh copy. untrained: timm's with random weights, not those from ImageNet, which it
    fetches.

    Raises RecipeError naming what is missing: the library, or the file.
    """
    if name in TIMM:
        return _from_timm(name, untrained=untrained)
    if untrained:
        raise RecipeError(f"backbone {name!r}: only timm's come untrained: {', '.join(TIMM)}")
    if name == "small":
        return Backbone(name, _small(), 64, HALF, HALF, 64, UNTRAINED)
    if name == "mobilenet-v2":
        return _mobilenet(shared / MOBILENET)
    raise RecipeError(f"unknown backbone {name!r}; known: {', '.join(NAMES)}")


def prepared(pictures: Tensor, backbone: Backbone) -> Tensor:
    """(n, 3, S, S) uint8 as its body wants it."""
    mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in (backbone.mean, backbone.std))
    return (pictures / 255 - mean) / std


def _small() -> nn.Module:
    layers: list[nn.Module] = []
    for wide, deep in ((3, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(wide, deep, 3, 2, 1, bias=False), nn.BatchNorm2d(deep), nn.ReLU()]
    return nn.Sequential(*layers)


def _from_timm(name: str, *, untrained: bool) -> Backbone:
    timm = _timm(name)
    try:
        body = timm.create_model(
            TIMM[name], pretrained=not untrained, num_classes=0, global_pool=""
        )
    except OSError as wrong:  # the weights are fetched from the Hugging Face hub
        reason = str(wrong).splitlines()[0]
        raise RecipeError(f"backbone {name!r}: its weights cannot be fetched ({reason})") from wrong
    given = body.pretrained_cfg
    origin = UNTRAINED
    if not untrained:
        origin = f"timm {timm.__version__}, {TIMM[name]}.{given['tag']}, trained on ImageNet"
    mean, std, size = given["mean"], given["std"], given["input_size"][-1]
    return Backbone(name, body, body.num_features, tuple(mean), tuple(std), size, origin)


def _timm(name: str) -> Any:
    """Heavy, and only for those who ask: it brings torchvision."""
    try:
        import timm
    except ModuleNotFoundError as missing:
        if missing.name not in ("timm", "torchvision"):
            raise
        raise RecipeError(f"backbone {name!r} needs {missing.name}: {NEEDS_TIMM}") from None
    except (ImportError, RuntimeError) as wrong:  # a torchvision made for another torch
        reason = str(wrong).splitlines()[0]
        raise RecipeError(
            f"backbone {name!r}: timm does not load ({reason}): {NEEDS_TIMM}"
        ) from None
    return timm


def _mobilenet(path: Path) -> Backbone:
    try:
        with np.load(path, allow_pickle=False) as file:
            stored = {key: file[key] for key in file.files}
    except OSError as wrong:
        raise RecipeError(f"backbone 'mobilenet-v2': no weights at {path}") from wrong
    origin = "MobileNetV2 1.0 224 of google-coral/test_data (Apache-2.0), dequantised; ImageNet"
    return Backbone("mobilenet-v2", MobileNet(stored), 1280, HALF, HALF, 224, origin)


class Folded(nn.Module):
    """A convolution with its normalisation folded in and TensorFlow's SAME padding."""

    def __init__(
        self, weight: NDArray[Any], bias: NDArray[Any], stride: int, *, deep: bool, bent: bool
    ) -> None:
        super().__init__()
        # TensorFlow Lite keeps depthwise kernels as (1, H, W, C), the others as (out, H, W, in).
        turned = torch.from_numpy(weight).permute((3, 0, 1, 2) if deep else (0, 3, 1, 2))
        self.weight = nn.Parameter(turned.contiguous())
        self.bias = nn.Parameter(torch.from_numpy(bias))
        self.stride = stride
        self.groups = turned.shape[0] if deep else 1
        self.bent = bent  # ReLU6 follows

    def forward(self, x: Tensor) -> Tensor:
        if self.weight.shape[-1] == 3:
            # With stride 2 and an even side, SAME pads right and bottom only.
            x = functional.pad(x, (0, 1, 0, 1) if self.stride == 2 else (1, 1, 1, 1))
        x = functional.conv2d(x, self.weight, self.bias, self.stride, groups=self.groups)
        return functional.relu6(x) if self.bent else x


class Inverted(nn.Sequential):
    """An inverted residual (Sandler et al. 2018); adds its input where the shapes agree."""

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for layer in self:
            y = layer(y)
        return x + y if y.shape == x.shape else y


class MobileNet(nn.Sequential):
    """The convolutions of MobileNetV2. stored: w00, b00... in graph order, kinds, strides."""

    def __init__(self, stored: dict[str, NDArray[Any]]) -> None:
        layers = [
            (stored[f"w{i:02d}"], stored[f"b{i:02d}"], int(stride), kind == "DEPTHWISE_CONV_2D")
            for i, (kind, stride) in enumerate(zip(stored["kinds"], stored["strides"], strict=True))
        ]
        parts: list[nn.Module] = [_folded(layers[0], bent=True)]
        i = 1
        while i < len(layers) - 2:  # the last two: the widest convolution, and the classifier
            size = 2 if layers[i][3] else 3  # the first block has no expansion
            block = layers[i : i + size]
            parts.append(Inverted(*(_folded(x, bent=j < size - 1) for j, x in enumerate(block))))
            i += size
        super().__init__(*parts, _folded(layers[-2], bent=True))


def _folded(layer: tuple[NDArray[Any], NDArray[Any], int, bool], *, bent: bool) -> Folded:
    weight, bias, stride, deep = layer
    return Folded(weight, bias, stride, deep=deep, bent=bent)
