"""One loop for both steps: batches, schedule, average of the weights, best epoch, early stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from calibration.face.augment import Strength, covered, warped
from calibration.poster.network import TwoParts
from calibration.poster.views import read
from calibration.training import Average, Best, Run, Stateful, hopeful, schedule, seed

SEED = 11
VARIED = Strength(  # networks of this size fail to fit pictures that are changed much more
    turn=0.20, scale=0.15, shift=0.07, aligned=0.3, damaged=0.0, covered=0.15
)


Loss = Callable[[Tensor, Tensor], Tensor]  # outputs (n, k), targets (n, k) -> one number
Judge = Callable[[TwoParts], dict[str, float]]  # "score" among them: higher is better


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of one training, beside its data."""

    epochs: int
    rate: float  # highest learning rate
    patience: int  # epochs without a better score before it stops
    warm: float = 0.1  # share of the steps in which the rate rises
    decay: float = 0.03  # of the weights
    batch: int = 128
    mixup: float = 0.0  # Beta(a, a) of Zhang et al. 2018; 0: none


@dataclass(frozen=True, eq=False)
class Examples:
    """What is learned from."""

    crops: Tensor  # (n, 1, S, S), uint8, grey
    targets: Tensor  # (n, k), float32: shares of classes, or ratings

    def __len__(self) -> int:
        return len(self.crops)


def fit(
    build: Callable[[], TwoParts],
    recipe: Recipe,
    examples: Examples,
    loss: Loss,
    judge: Judge,
    folder: Path,
    settings: Mapping[str, Any],
) -> TwoParts:
    """The network of the best epoch, in evaluation mode. Goes on where a killed training stopped.

    build: makes the untrained network. settings: what else decides the outcome.
    Raises ValueError if there is less than one batch, or if `folder` was begun otherwise.
    """
    if len(examples) < recipe.batch:
        raise ValueError(f"{len(examples)} pictures do not fill a batch of {recipe.batch}")
    seed(SEED)
    network, averaged = _fast(build()), _fast(build()).eval()
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=recipe.decay, fused=True)
    average, best = Average(network), Best()
    parts: dict[str, Stateful] = {
        "network": network,
        "optimiser": optimiser,
        "average": average,
        "best": best,
    }
    run = Run(folder, {**asdict(recipe), "seed": SEED, **settings}, parts)
    while run.epoch < recipe.epochs and hopeful([r["score"] for r in run.rows], recipe.patience):
        seed(SEED + 1 + run.epoch)
        network.train()
        lost = _epoch(network, optimiser, average, recipe, examples, loss, run)
        average.write_to(averaged)
        row = judge(averaged)
        best.offer(row["score"], averaged)
        run.save({"loss": lost, **row})
        words = ", ".join(f"{name} {value:.4f}" for name, value in run.rows[-1].items())
        tqdm.write(f"{folder.name}: {words}")
    averaged.load_state_dict(best.weights)
    return averaged.eval()


def varied(crops: Tensor) -> Tensor:
    """Mirrored, turned, scaled, shifted and in part covered at random; some only mirrored."""
    size = float(crops.shape[-1])
    same = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    mirror = torch.tensor([[-1.0, 0, size], [0, 1, 0]])
    views = torch.where(torch.rand(len(crops), 1, 1) < 0.5, mirror, same)
    return covered(warped(crops, views, VARIED), VARIED)


def _epoch(
    network: TwoParts,
    optimiser: torch.optim.Optimizer,
    average: Average,
    recipe: Recipe,
    examples: Examples,
    loss: Loss,
    run: Run,
) -> float:
    """One pass over the examples; the mean loss."""
    steps = len(examples) // recipe.batch
    order = torch.randperm(len(examples))
    losses = []
    bar = tqdm(range(steps), unit="batch", mininterval=5, leave=False)
    bar.set_description(f"{run.folder.name} {run.epoch + 1}/{recipe.epochs}")
    for step in bar:
        done = (run.epoch * steps + step) / (recipe.epochs * steps)
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * schedule(done, recipe.warm)
        rows = order[step * recipe.batch : (step + 1) * recipe.batch]
        crops, targets = varied(examples.crops[rows].float()), examples.targets[rows]
        if recipe.mixup:
            crops, targets = _mixed(crops, targets, recipe.mixup)
        cost = loss(read(network, crops), targets)
        optimiser.zero_grad()
        cost.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        average.update(network)
        losses.append(cost.item())
    return float(np.mean(losses))


def _mixed(crops: Tensor, targets: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """Each picture blended with another, targets too."""
    share = torch.from_numpy(np.random.beta(alpha, alpha, len(crops)).astype(np.float32))
    other = torch.randperm(len(crops))
    wide, flat = share.view(-1, 1, 1, 1), share.view(-1, 1)
    return (
        wide * crops + (1 - wide) * crops[other],
        flat * targets + (1 - flat) * targets[other],
    )


def _fast(network: TwoParts) -> TwoParts:
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    return network
