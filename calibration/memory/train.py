"""Teaches the memory: `python -m calibration.memory.train`. Read `train` first."""

from __future__ import annotations

import argparse
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from calibration.memory.batches import Batch, draw_batch
from calibration.memory.doubt import fitted
from calibration.memory.network import Memory
from calibration.memory.noise import WIDER, Noise
from calibration.memory.ship import ship
from calibration.memory.traces import Trace, training_traces
from calibration.memory.trials import Array, Follow
from calibration.samples import run
from calibration.training import Average, Run, Stateful, seed


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the outcome, beside the traces."""

    units: int = 64
    epochs: int = 36
    batches: int = 32  # in an epoch; each is walked through in `chunks` steps of learning
    series: int = 64  # in a batch
    chunk: int = 256  # readings between two steps of learning; the state goes on across them
    chunks: int = 3
    learning_rate: float = 4e-3  # at its height; falls to 0 along a cosine
    lag: float = 0.12  # how much a second of lag weighs beside 1 - CCC
    seed: int = 1
    noise: Noise = WIDER


def train(traces: list[Trace], recipe: Recipe, folder: Path) -> tuple[Memory, Run]:
    """The memory after all epochs, its weights averaged. Resumes where `folder` stopped."""
    seed(recipe.seed)
    network = Memory(recipe.units)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=1e-4)
    average = Average(network)
    parts: dict[str, Stateful] = {"network": network, "optimiser": optimiser, "average": average}
    steps = recipe.chunk * recipe.chunks
    run = Run(folder, {"memory": dataclasses.asdict(recipe), "traces": len(traces)}, parts)
    while run.epoch < recipe.epochs:
        seed(recipe.seed + run.epoch)
        rng = np.random.default_rng([recipe.seed, run.epoch])
        losses = []
        for number in tqdm(range(recipe.batches), desc=f"memory, epoch {run.epoch}"):
            done = (run.epoch + number / recipe.batches) / recipe.epochs
            optimiser.param_groups[0]["lr"] = _learning_rate(recipe, done)
            batch = draw_batch(rng, traces, recipe.noise, recipe.series, steps)
            losses.append(_learn(network, optimiser, average, batch, recipe))
        loss, agreement = np.mean(losses, axis=0)
        run.save({"loss": float(loss), "ccc": float(agreement)})
    average.write_to(network)
    return network.eval(), run


def walked(network: Memory) -> Follow:
    """The network over whole series, as a file would be."""

    def follow(x: Array) -> tuple[Array, Array]:
        with torch.no_grad():
            affect, spread, _ = network.follow(torch.from_numpy(x), network.new_state(len(x)))
        return affect.numpy(), spread.numpy()

    return follow


def loss_of(affect: torch.Tensor, spread: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """1 - CCC, the squared error, and how well the spread foretells it. Unrated axes are nan.

    The spread learns from the error but does not bend the answer: it sees a detached error.
    """
    rated = torch.isfinite(truth)
    error = torch.where(rated, affect - truth.nan_to_num(), 0.0).square()
    surprise = error.detach() / spread.square() / 2 + spread.log()
    count = rated.sum()
    likelihood = torch.where(rated, surprise, 0.0).sum() / count
    return 1 - agreement_of(affect, truth) + 5 * error.sum() / count + 0.1 * likelihood


def lag_of(affect: torch.Tensor, truth: torch.Tensor, elapsed: torch.Tensor) -> torch.Tensor:
    """Mean lag of the series in s: an answer that is d late is wrong by -d times the truth's slope,
    so d is how the error goes with the slope (least squares).

    Without it slow and small movements would be followed late, since being late costs them little.
    """
    step = truth.diff(dim=1).nan_to_num()
    along = -((affect - truth).nan_to_num()[:, 1:] * step).sum(1)
    slopes = (step.square() / elapsed[:, 1:, None].clamp_min(1e-3)).sum(1)
    return (along / (slopes + 0.02)).clamp(-2, 2).mean()  # 0.02: where nothing moves, no lag


def agreement_of(affect: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """CCC (Lin 1989, eq. 2) over everything that is rated."""
    rated = torch.isfinite(truth)
    x, y = affect[rated], truth[rated]
    x_mean, y_mean = x.mean(), y.mean()
    both = ((x - x_mean) * (y - y_mean)).mean()
    apart = (x - x_mean).square().mean() + (y - y_mean).square().mean()
    return 2 * both / (apart + (x_mean - y_mean).square())


def _learn(
    network: Memory,
    optimiser: torch.optim.Optimizer,
    average: Average,
    batch: Batch,
    recipe: Recipe,
) -> tuple[float, float]:
    """One step of learning for each chunk of the batch; state goes on, the gradient does not."""
    network.train()
    state = network.new_state(len(batch.x))
    rows = []
    for first in range(0, batch.x.shape[1], recipe.chunk):
        piece = slice(first, first + recipe.chunk)
        x, truth = batch.x[:, piece], batch.truth[:, piece]
        affect, spread, (h, c) = network.follow(x, state)
        loss = loss_of(affect, spread, truth)
        loss = loss + recipe.lag * lag_of(affect, truth, x[..., 3])
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        average.update(network)
        state = h.detach(), c.detach()
        rows.append((loss.item(), agreement_of(affect.detach(), truth).item()))
    loss_mean, agreement = np.mean(rows, axis=0)
    return float(loss_mean), float(agreement)


def _learning_rate(recipe: Recipe, done: float) -> float:
    warm = min(1.0, done / 0.03)
    return recipe.learning_rate * warm * (0.5 + 0.5 * float(np.cos(np.pi * done)))


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m calibration.memory.train", description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("tracker/weights"))
    args: Any = parser.parse_args(words)
    torch.set_num_threads(1)  # the network is tiny; a second thread only waits for the first
    traces = training_traces(args.shared)
    network, kept = train(traces, Recipe(), args.runs / "memory-s")
    network.doubt.fill_(fitted(walked(network), traces, Noise()))
    print(ship(network, args.shared, args.out / "memory-s.onnx", kept.rows))


if __name__ == "__main__":
    run(main)
