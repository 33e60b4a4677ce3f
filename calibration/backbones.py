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

import torch
from torch import Tensor, nn

from calibration.samples import RecipeError
from calibration.scene.mobilenet import TOP, WEIGHTS, MobileNetV2, imagenet

TIMM = {"inception-v3": "inception_v3", "inception-resnet-v2": "inception_resnet_v2"}
NAMES = ("small", "mobilenet-v2", *TIMM)
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
        return _mobilenet(shared / WEIGHTS)
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
        body = Map(imagenet(path))
    except OSError as wrong:
        raise RecipeError(f"backbone 'mobilenet-v2': no weights at {path}") from wrong
    origin = "MobileNetV2 1.0 224 of google-coral/test_data (Apache-2.0), dequantised; ImageNet"
    return Backbone("mobilenet-v2", body, TOP, HALF, HALF, 224, origin)


class Map(nn.Module):
    """The last map, without ImageNet's classes."""

    def __init__(self, network: MobileNetV2) -> None:
        super().__init__()
        del network.classifier
        self.network = network

    def forward(self, frames: Tensor) -> Tensor:
        return self.network.levels(frames)[-1]
