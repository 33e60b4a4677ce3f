"""What every training shares: fixed seeds, a running average, and a folder that survives a kill.

A training is a loop of epochs that the recipe writes itself; `Run` remembers how far it came.
"""

from __future__ import annotations

import csv
import json
import math
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from calibration.samples import RecipeError


class Stateful(Protocol):
    """A network, an optimiser, a schedule: anything whose state torch can save."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any: ...


def device() -> str:
    """A GPU where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def seed(number: int) -> None:
    """Fix every generator. Called with seed + epoch, so a resumed run repeats a whole one."""
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


class Average:
    """Running average of a network's weights: what is evaluated and exported.

    decay rises from 0 as (1 + n) / (10 + n), so the first random weights leave quickly.
    """

    def __init__(self, network: nn.Module, decay: float = 0.999) -> None:
        self._decay = decay
        self._steps = 0
        self._mean = {k: v.detach().clone() for k, v in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        now = network.state_dict()
        moving = [key for key, value in now.items() if value.is_floating_point()]
        # All at once: one by one they would keep a GPU waiting.
        torch._foreach_lerp_(
            [self._mean[key] for key in moving], [now[key] for key in moving], 1 - decay
        )
        for key in now.keys() - set(moving):
            self._mean[key].copy_(now[key])

    def write_to(self, network: nn.Module) -> None:
        network.load_state_dict(self._mean)

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self._steps, "mean": self._mean}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._steps = state_dict["steps"]
        for key, value in state_dict["mean"].items():
            self._mean[key].copy_(value)


class Best:
    """The averaged weights of the epoch that did best on validation."""

    def __init__(self) -> None:
        self.score = -math.inf
        self.weights: dict[str, Any] = {}

    def offer(self, score: float, network: nn.Module) -> None:
        """A tie goes to the later epoch: it has the lower learning rate."""
        if score >= self.score:
            self.score = score
            self.weights = {k: v.detach().clone() for k, v in network.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        return {"score": self.score, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.score, self.weights = state_dict["score"], state_dict["weights"]


def schedule(done: float, warm: float) -> float:
    """Share of the highest rate: a linear rise, then a cosine down to a hundredth."""
    if done < warm:
        return max(0.04, done / warm)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm)))


def hopeful(scores: Sequence[float], patience: int) -> bool:
    """Whether one of the last `patience` epochs was the best so far, or there were no more.

    scores: higher is better. From the log, so that a resumed training stops where an
    uninterrupted one does.
    """
    return len(scores) <= patience or max(scores[-patience:]) >= max(scores)


class Run:
    """A training's folder: `state.pt` after each epoch, `log.csv` with a row for each.

    settings: everything that decides the outcome. A folder begun with other settings is refused.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, Any], parts: Mapping[str, Stateful]
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.epoch = 0  # the next one to do
        self._settings = json.dumps(dict(settings), sort_keys=True)
        self._parts = parts
        self._rows: list[dict[str, float]] = []
        if (folder / "state.pt").exists():
            self._resume()

    @property
    def rows(self) -> list[dict[str, float]]:
        """The log: one row per finished epoch."""
        return list(self._rows)

    def save(self, row: Mapping[str, float]) -> None:
        """Close the epoch. Atomic: a kill leaves the epoch before."""
        self._rows.append({"epoch": float(self.epoch), **row})
        self.epoch += 1
        state = {
            "settings": self._settings,
            "epoch": self.epoch,
            "rows": self._rows,
            "parts": {name: part.state_dict() for name, part in self._parts.items()},
        }
        partial = self.folder / "state.pt.partial"
        torch.save(state, partial)
        os.replace(partial, self.folder / "state.pt")
        with (self.folder / "log.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(self._rows[0]))
            writer.writeheader()
            writer.writerows(self._rows)

    def _resume(self) -> None:
        state = torch.load(self.folder / "state.pt", map_location="cpu", weights_only=True)
        if state["settings"] != self._settings:
            raise RecipeError(
                f"{self.folder}: begun with {state['settings']}, asked for {self._settings}; "
                "use another folder or the same settings"
            )
        self.epoch = state["epoch"]
        self._rows = state["rows"]
        for name, part in self._parts.items():
            part.load_state_dict(state["parts"][name])
