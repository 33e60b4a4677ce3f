"""Two branches and their fusion: the person's body, and the whole picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from calibration.backbones import Backbone
from calibration.emotic.annotations import HIGHEST, LOWEST
from tracker.values import CATEGORIES

BRANCHES = ("person", "frame")
FUSED = 256  # features after the fusion (Kosti et al. 2019, figure 9)
MIDDLE, REACH = (HIGHEST + LOWEST) / 2, (HIGHEST - LOWEST) / 2  # 1..10 <-> -1..1


class ContextNetwork(nn.Module):
    """person, frame: (n, 3, S, S), each as its backbone wants it.

    branches: those that are looked at; to compare with one alone.
    """

    def __init__(
        self, person: Backbone, frame: Backbone, branches: tuple[str, ...] = BRANCHES
    ) -> None:
        super().__init__()
        kept = {"person": person, "frame": frame}
        self.bodies = nn.ModuleDict({name: kept[name].body for name in branches})
        self.fusion = nn.Sequential(
            nn.Linear(sum(kept[name].width for name in branches), FUSED),
            nn.BatchNorm1d(FUSED),
            nn.ReLU(),
            nn.Dropout(0.5),
        )
        self.categories = nn.Linear(FUSED, len(CATEGORIES))
        self.affect = nn.Linear(FUSED, 3)

    def forward(self, person: Tensor, frame: Tensor) -> tuple[Tensor, Tensor]:
        """affect (n, 3): valence, arousal, dominance, -1..1; categories (n, 26), 0..1."""
        given = {"person": person, "frame": frame}
        maps = [body(given[name]) for name, body in self.bodies.items()]
        fused = self.fusion(torch.cat([m.mean((2, 3)) for m in maps], 1))
        return torch.tanh(self.affect(fused)), torch.sigmoid(self.categories(fused))


def rated(affect: Tensor) -> Tensor:
    """-1..1 as the set's 1..10."""
    return affect * REACH + MIDDLE
