"""One training of the two branches, resumable at every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from calibration.backbones import Backbone, open_backbone, prepared
from calibration.emotic.annotations import Person
from calibration.emotic.losses import category_loss, vad_loss
from calibration.emotic.network import BRANCHES, ContextNetwork, rated
from calibration.emotic.people import People, Shown, Sizes
from calibration.epochs import Task, tune
from calibration.samples import RecipeError
from calibration.training import seed

SHARE = 0.5  # of either loss (Kosti et al. 2019, equation 3)


@dataclass(frozen=True)
class Recipe:
    backbone: str = "mobilenet-v2"
    sizes: Sizes = field(default_factory=lambda: Sizes(128, 224))
    branches: tuple[str, ...] = BRANCHES
    epochs: int = 15
    batch: int = 52  # twice the categories, as public re-implementations have it
    rate: float = 1e-3  # of the fusion, at its highest
    slower: float = 0.1  # times that for the backbones, which start trained
    seed: int = 1


@dataclass(frozen=True)
class Trained:
    network: ContextNetwork
    backbone: Backbone  # of the frame; the person's is another copy


def fit(
    recipe: Recipe,
    train: Sequence[Person],
    val: Sequence[Person],
    folder: Path,
    shared: Path,
    workers: int = 0,
) -> Trained:
    """The epoch with the lowest loss on `val`. folder: of the run, kept up at every epoch."""
    if len(train) < 2:
        raise RecipeError(f"{train[0].where}: one person is no training set")
    seed(recipe.seed)
    person, frame = (open_backbone(recipe.backbone, shared) for _ in BRANCHES)
    network = ContextNetwork(person, frame, recipe.branches)
    shown = People(train, recipe.sizes, training=True)

    def batches(_: int) -> DataLoader[Shown]:
        network.train()
        last = len(shown) > recipe.batch  # a rest of one would have no mean to be normalised by
        return DataLoader(shown, recipe.batch, shuffle=True, num_workers=workers, drop_last=last)

    @torch.no_grad()
    def judge(network: nn.Module) -> float:
        """In batches as in training: the weights depend on the batch."""
        seen = DataLoader(People(val, recipe.sizes), recipe.batch, num_workers=workers)
        return sum(float(_loss(network, b, frame)) * len(b[0]) for b in seen) / len(val)

    task = Task(batches, lambda batch: _loss(network, batch, frame), judge)
    tune(network, network.bodies, task, recipe, folder, asdict(recipe))
    return Trained(network, frame)


def _loss(network: nn.Module, batch: Shown, backbone: Backbone) -> Tensor:
    person, frame, categories, vad = batch
    affect, said = network(prepared(person, backbone), prepared(frame, backbone))
    return SHARE * category_loss(said, categories) + SHARE * vad_loss(rated(affect), vad)
