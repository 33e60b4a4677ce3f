"""The loop of a fine-tuning: a trained body below, new layers above, the best epoch kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from calibration.training import Average, Best, Run, Stateful, schedule, seed

B = TypeVar("B")  # a batch
WARM = 0.05  # share of the training in which the rate rises


class Settings(Protocol):
    """What a recipe says of its training."""

    @property
    def epochs(self) -> int: ...

    @property
    def rate(self) -> float: ...  # at its highest, of the new layers

    @property
    def slower(self) -> float: ...  # times that for the body

    @property
    def seed(self) -> int: ...


@dataclass(frozen=True)
class Task(Generic[B]):
    """What is learned, and how it is judged."""

    batches: Callable[[int], DataLoader[B]]  # epoch -> what it goes through
    loss: Callable[[B], Tensor]  # of the network in training
    judge: Callable[[nn.Module], float]  # loss of a network, in eval mode, on what it never sees


def tune(
    network: nn.Module,
    body: nn.Module,
    task: Task[B],
    settings: Settings,
    folder: Path,
    recipe: Mapping[str, Any],
) -> None:
    """Leaves `network` with the running average of the epoch that is judged best, in eval mode.

    body: the part of `network` that starts trained. folder: kept up at every epoch, so that a
    stopped training goes on. recipe: everything that decides the outcome.
    """
    optimiser = _optimiser(network, body, settings)
    average, best = Average(network, decay=0.99), Best()
    parts: dict[str, Stateful] = {
        "network": network,
        "optimiser": optimiser,
        "average": average,
        "best": best,
    }
    run = Run(folder, recipe, parts)
    while run.epoch < settings.epochs:
        seed(settings.seed + run.epoch)
        batches = task.batches(run.epoch)
        total = 0.0
        for step, batch in enumerate(batches):
            done = (run.epoch + step / len(batches)) / settings.epochs
            for group in optimiser.param_groups:
                group["lr"] = settings.rate * group["share"] * schedule(done, WARM)
            loss = task.loss(batch)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            average.update(network)
            total += float(loss.detach())
        judged = deepcopy(network)
        average.write_to(judged)
        score = task.judge(judged.eval())
        best.offer(-score, judged)
        run.save({"loss": total / len(batches), "val_loss": score})
        print(f"epoch {run.epoch}: loss {total / len(batches):.4f}, val_loss {score:.4f}")
    network.load_state_dict(best.weights)
    network.eval()


def _optimiser(network: nn.Module, body: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    trained = {id(weight) for weight in body.parameters()}
    new = [weight for weight in network.parameters() if id(weight) not in trained]
    groups = [
        {"params": new, "share": 1.0},
        {"params": list(body.parameters()), "share": settings.slower},
    ]
    return torch.optim.AdamW(groups, lr=settings.rate, weight_decay=1e-2)
