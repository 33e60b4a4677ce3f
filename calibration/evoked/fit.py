"""One training: the last layer first, then all layers. Resumable at every epoch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, WeightedRandomSampler

from calibration.backbones import Backbone, open_backbone, prepared
from calibration.epochs import Task, tune
from calibration.evoked.network import Classifier
from calibration.evoked.pictures import Pictures, Shown, Shows
from calibration.training import seed


@dataclass(frozen=True)
class Recipe:
    backbone: str = "mobilenet-v2"
    size: int | None = None  # px; None: what the backbone was made for
    first: int = 5  # epochs in which only the last layer learns
    epochs: int = 20  # all of them
    batch: int = 32
    rate: float = 1e-3  # at its highest, of the last layer
    slower: float = 0.1  # times that for the body, once it learns
    balanced: bool = False  # every class is drawn equally often
    seed: int = 1
    untrained: bool = False  # a library's backbone without ImageNet


@dataclass(frozen=True)
class Trained:
    network: Classifier
    backbone: Backbone
    size: int  # px


def fit(
    recipe: Recipe, pictures: Pictures, folder: Path, shared: Path, workers: int = 0
) -> Trained:
    """The epoch with the lowest loss on `val`. folder: of the run, kept up at every epoch."""
    seed(recipe.seed)
    backbone = open_backbone(recipe.backbone, shared, untrained=recipe.untrained)
    size = recipe.size or backbone.size
    network = Classifier(backbone, len(pictures.classes))
    shown = Shows(pictures.train, size, training=True)

    def batches(epoch: int) -> DataLoader[Shown]:
        network.freeze(epoch < recipe.first)
        sampler = drawn(pictures, balanced=recipe.balanced)
        last = len(shown) > recipe.batch  # a rest of one would have no mean to be normalised by
        return DataLoader(shown, recipe.batch, sampler=sampler, num_workers=workers, drop_last=last)

    def loss(network: nn.Module, batch: Shown) -> Tensor:
        frames, labels = batch
        return functional.cross_entropy(network(prepared(frames, backbone)), labels)

    @torch.no_grad()
    def judge(network: nn.Module) -> float:
        seen = DataLoader(Shows(pictures.val, size), recipe.batch, num_workers=workers)
        return sum(float(loss(network, b)) * len(b[0]) for b in seen) / len(pictures.val)

    task = Task(batches, lambda batch: loss(network, batch), judge)
    settings = asdict(recipe) | {"classes": pictures.classes}
    tune(network, network.body, task, recipe, folder, settings)
    return Trained(network, backbone, size)


def drawn(pictures: Pictures, *, balanced: bool) -> WeightedRandomSampler:
    """As many pictures as there are; balanced: a rare class is drawn as often as a common one."""
    labels = np.array([sample.label for sample in pictures.train])
    weight: NDArray[np.float64] = np.ones(len(labels))
    if balanced:
        weight = 1 / np.bincount(labels, minlength=len(pictures.classes))[labels]
    return WeightedRandomSampler(weight.tolist(), len(labels), replacement=balanced)
