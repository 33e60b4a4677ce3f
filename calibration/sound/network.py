"""A small convolutional network over the last three seconds: does somebody speak, how excited."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RECENT = 4  # steps of 80 ms at the end of the window


class SoundNetwork(nn.Module):
    """mel: (n, bands, frames), dB -> arousal (n,), -1..1, and voice (n,), logits."""

    def __init__(self, bands: int = 64, width: int = 64) -> None:
        super().__init__()
        self.width = width
        layers: list[nn.Module] = []
        before = bands
        for wide in (width, width, width):
            layers += [
                nn.Conv1d(before, wide, 5, 2, 2, bias=False),
                nn.BatchNorm1d(wide),
                nn.ReLU(),
            ]
            before = wide
        layers += [nn.Conv1d(width, width, 3, 1, 1, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.attention = nn.Conv1d(width, 1, 1)
        self.voice = _head(3 * width, width)
        self.arousal = _head(3 * width, width)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        steps = self.body((mel + 50) / 25)
        weight = torch.softmax(self.attention(steps), 2)
        attended = (steps * weight).sum(2)
        whole = steps.mean(2)
        recent = steps[:, :, -RECENT:].mean(2)
        spread = (steps - whole[:, :, None]).square().mean(2).add(1e-4).sqrt()
        voice = self.voice(torch.cat([recent, whole, spread], 1))[:, 0]
        arousal = self.arousal(torch.cat([attended, whole, spread], 1))[:, 0]
        return torch.tanh(arousal), voice


def _head(wide: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Dropout(0.2), nn.Linear(wide, width), nn.ReLU(), nn.Linear(width, 1))
