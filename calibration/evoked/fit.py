"""One training: the last layer first, then all layers. Resumable at every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, WeightedRandomSampler

from calibration.backbones import Backbone, open_backbone, prepared
from calibration.evoked.network import Classifier
from calibration.evoked.pictures import Pictures, Sample, Shows
from calibration.training import Average, Best, Run, Stateful, schedule, seed


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
    optimiser = torch.optim.AdamW(
        [
            {"params": list(network.last.parameters()), "share": 1.0},
            {"params": list(network.body.parameters()), "share": recipe.slower},
        ],
        lr=recipe.rate,
        weight_decay=1e-2,
    )
    average, best = Average(network, decay=0.99), Best()
    parts: dict[str, Stateful] = {
        "network": network,
        "optimiser": optimiser,
        "average": average,
        "best": best,
    }
    run = Run(folder, asdict(recipe) | {"classes": pictures.classes}, parts)
    shown = Shows(pictures.train, size, training=True)
    while run.epoch < recipe.epochs:
        seed(recipe.seed + run.epoch)
        network.freeze(run.epoch < recipe.first)
        loader = DataLoader(
            shown,
            recipe.batch,
            sampler=drawn(pictures, balanced=recipe.balanced),
            num_workers=workers,
            drop_last=len(shown) > recipe.batch,
        )
        total = 0.0
        for step, (frames, labels) in enumerate(loader):
            rate = recipe.rate * schedule((run.epoch + step / len(loader)) / recipe.epochs, 0.05)
            for group in optimiser.param_groups:
                group["lr"] = rate * group["share"]
            loss = functional.cross_entropy(network(prepared(frames, backbone)), labels)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            average.update(network)
            total += float(loss.detach())
        judge = deepcopy(network)
        average.write_to(judge)
        score = _entropy(judge.eval(), pictures.val, recipe.batch, size, backbone, workers)
        best.offer(-score, judge)
        run.save({"loss": total / len(loader), "val_loss": score})
        print(f"epoch {run.epoch}: loss {total / len(loader):.4f}, val_loss {score:.4f}")
    network.load_state_dict(best.weights)
    return Trained(network.eval(), backbone, size)


def drawn(pictures: Pictures, *, balanced: bool) -> WeightedRandomSampler:
    """As many pictures as there are; balanced: a rare class is drawn as often as a common one."""
    labels = np.array([sample.label for sample in pictures.train])
    weight: NDArray[np.float64] = np.ones(len(labels))
    if balanced:
        weight = 1 / np.bincount(labels, minlength=len(pictures.classes))[labels]
    return WeightedRandomSampler(weight.tolist(), len(labels), replacement=balanced)


@torch.no_grad()
def _entropy(
    network: Classifier,
    samples: Sequence[Sample],
    batch: int,
    size: int,
    backbone: Backbone,
    workers: int,
) -> float:
    total = 0.0
    for frames, labels in DataLoader(Shows(samples, size), batch, num_workers=workers):
        logits: Tensor = network(prepared(frames, backbone))
        total += float(functional.cross_entropy(logits, labels, reduction="sum"))
    return total / len(samples)
