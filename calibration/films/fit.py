"""Teaches one network on films, a window of seconds at a time. Read `fit` first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from calibration.films.descriptors import Film
from calibration.films.networks import Scaled
from calibration.films.scores import Answers, score
from calibration.training import Average, Best, Run, Stateful, schedule, seed

Build = Callable[[Scaled], nn.Module]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the outcome, beside films and network."""

    epochs: int = 30
    batches: int = 100  # in an epoch
    windows: int = 32  # in a batch, of all films alike
    seconds: int = 64  # of a window, as in the post
    learning_rate: float = 1e-3  # at its height
    weight_decay: float = 0.01
    seed: int = 1


def fit(
    name: str, build: Build, train: Sequence[Film], check: Sequence[Film], recipe: Recipe, run: Path
) -> nn.Module:
    """The network after the epoch that did best on `check`: the least mean squared error of both
    axes. Resumes where the folder `run` stopped.
    """
    seed(recipe.seed)
    network = build(_scaled(train))
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    averaged = build(_scaled(train)).eval()
    average, best = Average(network), Best()
    parts: dict[str, Stateful] = {
        "network": network,
        "optimiser": optimiser,
        "average": average,
        "best": best,
    }
    films = [film.name for film in (*train, *check)]
    log = Run(run, {"network": name, "recipe": asdict(recipe), "films": films}, parts)
    while log.epoch < recipe.epochs:
        seed(recipe.seed + log.epoch)
        rng = np.random.default_rng([recipe.seed, log.epoch])
        network.train()
        losses = []
        for number in tqdm(range(recipe.batches), desc=f"{name}, epoch {log.epoch}"):
            done = (log.epoch + number / recipe.batches) / recipe.epochs
            optimiser.param_groups[0]["lr"] = recipe.learning_rate * schedule(done, warm=0.05)
            losses.append(_learn(network, optimiser, *_windows(rng, train, recipe)))
            average.update(network)
        average.write_to(averaged)
        error = float(np.mean([axis.mse for axis in score(answers(averaged, check))]))
        best.offer(-error, averaged)
        log.save({"loss": float(np.mean(losses)), "check": error})
    averaged.load_state_dict(best.weights)
    return averaged.eval()


@torch.no_grad()
def answers(network: nn.Module, films: Sequence[Film]) -> list[Answers]:
    """What the network says of whole films, from their beginnings on."""
    said = [network(torch.from_numpy(np.array(film.x))[None])[0][0].numpy() for film in films]
    return [Answers(film.name, s, film.affect) for film, s in zip(films, said, strict=True)]


def _learn(network: nn.Module, optimiser: torch.optim.Optimizer, x: Tensor, truth: Tensor) -> float:
    rated = torch.isfinite(truth)
    said, _ = network(x)
    loss = (said - truth.nan_to_num())[rated].square().mean()
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return float(loss.detach())


def _windows(
    rng: np.random.Generator, films: Sequence[Film], recipe: Recipe
) -> tuple[Tensor, Tensor]:
    """(b, t, width) and (b, t, 2). A film shorter than a window is all of it, then nothing."""
    seconds = np.array([len(film.x) for film in films])
    chosen = rng.choice(len(films), recipe.windows, p=seconds / seconds.sum())
    x = np.full((recipe.windows, recipe.seconds, films[0].x.shape[1]), np.nan, np.float32)
    truth = np.full((recipe.windows, recipe.seconds, 2), np.nan, np.float32)
    for row, film in enumerate(films[which] for which in chosen):
        start = rng.integers(max(1, len(film.x) - recipe.seconds + 1))
        piece = slice(start, start + recipe.seconds)
        there = len(film.x[piece])
        x[row, :there], truth[row, :there] = film.x[piece], film.affect[piece]
    return torch.from_numpy(x), torch.from_numpy(truth)


def _scaled(films: Sequence[Film]) -> Scaled:
    """From all seconds of all films; what is never there, or never changes, stays 0."""
    count = sum(np.isfinite(film.x).sum(0) for film in films)
    known = np.maximum(count, 1)
    mean = sum(np.nansum(film.x, axis=0, dtype=np.float64) for film in films) / known
    square = sum(np.nansum((film.x - mean) ** 2, axis=0, dtype=np.float64) for film in films)
    deviation = np.sqrt(square / known)
    deviation[deviation < 1e-6] = 1.0
    return Scaled(*(torch.from_numpy(v.astype(np.float32)) for v in (mean, deviation)))
