"""Three networks after a post on MediaEval 2018, made causal: fully connected, LSTM, CNN and LSTM.

The post's layers are in KongHag/emotion_project (2020). What is other here: no ReLU behind the last
layer, with which no answer is negative while half of the labels are; LSTMs read forwards only; the
CNN walks along colours and over the picture as the descriptors really lie (the post's reshape of
ACC and EH mixes them), and descriptors without such an order go past it instead of being left out.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from calibration.films.descriptors import WIDTHS

AXES = 2  # valence, arousal

State = tuple[Tensor, Tensor] | None  # h, c of an LSTM; None: a film begins


class Reader(Protocol):
    """x (b, t, width) to affect (b, t, 2), and the state after the last second."""

    def __call__(self, x: Tensor, state: State = None) -> tuple[Tensor, State]: ...


class Scaled(nn.Module):
    """Descriptors as the films of the training have them on average: mean 0, deviation 1.

    What is missing (nan) becomes 0, the mean. Nothing lies further than 5 deviations out.
    """

    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)

    def forward(self, x: Tensor) -> Tensor:
        return ((x - self.mean) / self.deviation).clamp(-5, 5).nan_to_num(0.0)


class FullyConnected(nn.Module):
    """Every second by itself."""

    def __init__(self, scaled: Scaled, hidden: int = 256, dropout: float = 0.5) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            scaled,
            nn.Dropout(dropout),
            nn.Linear(len(scaled.mean), hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, AXES),
        )

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        return self.layers(x), None


class Recurrent(nn.Module):
    """An LSTM over the seconds so far."""

    def __init__(self, scaled: Scaled, hidden: int = 64, dropout: float = 0.5) -> None:
        super().__init__()
        self.scaled = nn.Sequential(scaled, nn.Dropout(dropout))
        self.lstm = nn.LSTM(len(scaled.mean), hidden, batch_first=True)
        self.last = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, AXES))

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        said, state = self.lstm(self.scaled(x), state)
        return self.last(said), state


class Convolutional(nn.Module):
    """Convolutions over the descriptors that have an order, then the LSTM over everything.

    Of WIDTHS: ACC is 64 colours x 4 distances, CEDD, FCTH and JCD are 6, 8 and 7 textures x 24
    colours (LIRE), EH is 4 x 4 places x 5 directions (MPEG-7).
    """

    def __init__(self, scaled: Scaled, hidden: int = 64, dropout: float = 0.5) -> None:
        super().__init__()
        self.scaled = scaled
        self.along = nn.ModuleDict(
            {"acc": _along(4), "cedd": _along(6), "fcth": _along(8), "jcd": _along(7)}
        )
        self.over = nn.Sequential(nn.Conv2d(5, 10, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.dropout = nn.Dropout(dropout)
        with torch.no_grad():
            width = self._seen(torch.zeros(1, 1, len(scaled.mean))).shape[-1]
        self.lstm = nn.LSTM(width, hidden, batch_first=True)
        self.last = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, AXES)
        )

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        said, state = self.lstm(self.dropout(self._seen(x)), state)
        return self.last(said), state

    def _seen(self, x: Tensor) -> Tensor:
        """(b, t, what the LSTM reads)"""
        flat = self.scaled(x).flatten(0, 1)
        parts = dict(zip(WIDTHS, flat.split(list(WIDTHS.values()), dim=1), strict=True))
        parts["acc"] = parts["acc"].unflatten(1, (64, 4)).transpose(1, 2)
        for name, textures in (("cedd", 6), ("fcth", 8), ("jcd", 7)):
            parts[name] = parts[name].unflatten(1, (textures, 24))
        places = parts["eh"].unflatten(1, (4, 4, 5)).permute(0, 3, 1, 2)
        seen = [walk(parts.pop(name)).flatten(1) for name, walk in self.along.items()]
        seen += [self.over(places).flatten(1)]
        seen += [part for name, part in parts.items() if name != "eh"]
        return torch.cat(seen, 1).view(x.shape[0], x.shape[1], -1)


def _along(channels: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(channels, 2 * channels, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(2 * channels, 4 * channels, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool1d(2),
    )
