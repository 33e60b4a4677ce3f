"""One training of the two branches, resumable at every epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from calibration.backbones import Backbone, open_backbone, prepared
from calibration.emotic.annotations import Person
from calibration.emotic.losses import category_loss, vad_loss
from calibration.emotic.network import BRANCHES, ContextNetwork, rated
from calibration.emotic.people import People, Shown, Sizes
from calibration.samples import RecipeError
from calibration.training import Average, Best, Run, Stateful, schedule, seed

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
    rows: list[dict[str, float]]  # of the log


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
    bodies = [p for p in network.bodies.parameters() if p.requires_grad]
    heads = [p for name, p in network.named_parameters() if not name.startswith("bodies.")]
    groups = [
        {"params": heads, "share": 1.0},
        {"params": bodies, "share": recipe.slower},
    ]
    optimiser = torch.optim.AdamW(groups, lr=recipe.rate, weight_decay=5e-4)
    average, best = Average(network, decay=0.99), Best()
    parts: dict[str, Stateful] = {
        "network": network,
        "optimiser": optimiser,
        "average": average,
        "best": best,
    }
    run = Run(folder, asdict(recipe), parts)
    shown = People(train, recipe.sizes, training=True)
    while run.epoch < recipe.epochs:
        seed(recipe.seed + run.epoch)
        loader = DataLoader(
            shown,
            recipe.batch,
            shuffle=True,
            num_workers=workers,
            drop_last=len(shown) > recipe.batch,
        )
        network.train()
        total = 0.0
        for step, batch in enumerate(loader):
            rate = recipe.rate * schedule((run.epoch + step / len(loader)) / recipe.epochs, 0.05)
            for group in optimiser.param_groups:
                group["lr"] = rate * group["share"]
            loss = _loss(network, batch, frame)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            average.update(network)
            total += float(loss.detach())
        judge = deepcopy(network)
        average.write_to(judge)
        score = _validated(judge.eval(), val, recipe, frame, workers)
        best.offer(-score, judge)
        row = {"loss": total / len(loader), "val_loss": score}
        run.save(row)
        print(f"epoch {run.epoch}: " + ", ".join(f"{k} {v:.4f}" for k, v in row.items()))
    network.load_state_dict(best.weights)
    return Trained(network.eval(), frame, run.rows)


@torch.no_grad()
def _validated(
    network: ContextNetwork, val: Sequence[Person], recipe: Recipe, backbone: Backbone, workers: int
) -> float:
    """Mean loss of a person, in batches as in training: the weights depend on the batch."""
    total = 0.0
    for batch in DataLoader(People(val, recipe.sizes), recipe.batch, num_workers=workers):
        total += float(_loss(network, batch, backbone)) * len(batch[0])
    return total / len(val)


def _loss(network: ContextNetwork, batch: Shown, backbone: Backbone) -> Tensor:
    person, frame, categories, vad = batch
    affect, said = network(prepared(person, backbone), prepared(frame, backbone))
    loss = SHARE * category_loss(said, categories) + SHARE * vad_loss(rated(affect), vad)
    if not math.isfinite(float(loss.detach())):
        raise ValueError("the loss is not finite; lower the rate")
    return loss
