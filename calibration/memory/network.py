"""The memory: an LSTM that decides, reading by reading, which running means to believe.

What it says is always a weighted mean of readings it has seen, so it cannot run away: a constant
comes back as that constant, a first reading as itself. `forward` is one step, and is what ships;
`follow` is the same over whole series, for training.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

INPUT = ("valence", "arousal", "confidence", "elapsed")
AXES = 2  # valence, arousal
TAU = (0.06, 0.15, 0.4, 0.9, 2.0)  # s, time constants of the running means
KEPT = 1 + len(TAU)  # state of an axis beside the LSTM's: seen or not, means
SMALLEST = 0.01  # the least deviation the memory may claim

State = tuple[Tensor, Tensor]  # h, c: each (n, hidden)


class Memory(nn.Module):
    """One step: x (n, 4), h, c (n, hidden) to affect (n, 2), spread (n, 2), h, c.

    h holds the LSTM's own h, then what is kept of valence; c its own c, then that of arousal.
    """

    def __init__(self, units: int = 64) -> None:
        super().__init__()
        self.units = units
        self.hidden = units + KEPT
        self.tau: Tensor
        self.register_buffer("tau", torch.tensor(TAU), persistent=False)
        self.doubt: Tensor  # what the spread is multiplied by, once the training is over
        self.register_buffer("doubt", torch.ones(()))
        self.lstm = nn.LSTM(2 * AXES * len(TAU) + 2, units, batch_first=True)
        self.head = nn.Linear(units, AXES * (len(TAU) + 2))  # weights of x and means, spread
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def new_state(self, keys: int) -> State:
        return torch.zeros(keys, self.hidden), torch.zeros(keys, self.hidden)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        own_h, own_c, kept = self._unpack(h, c)
        kept = self._take_in(x, kept)
        own_h, own_c = self._cell(_features(x, kept), own_h, own_c)
        affect, spread = self._say(own_h, x, kept)
        return affect, spread, *_pack(own_h, own_c, kept)

    def follow(self, x: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """x (n, t, 4) to affect (n, t, 2), spread (n, t, 2) and the state after the last step."""
        own_h, own_c, kept = self._unpack(*state)
        rows = []
        for now in x.unbind(1):  # nothing to be learned here, so it may run ahead
            kept = self._take_in(now, kept)
            rows.append(kept)
        whole = torch.stack(rows, dim=1)
        own, (last_h, last_c) = self.lstm(_features(x, whole), (own_h[None], own_c[None]))
        affect, spread = self._say(own, x, whole)
        return affect, spread, _pack(last_h[0], last_c[0], kept)

    def _unpack(self, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        kept = torch.stack([h[:, self.units :], c[:, self.units :]], dim=1)  # (n, 2, KEPT)
        return h[:, : self.units], c[:, : self.units], kept

    def _take_in(self, x: Tensor, kept: Tensor) -> Tensor:
        """(n, 2, KEPT): each running mean moves as far as its time constant lets it."""
        seen, means = kept[..., :1], kept[..., 1:]
        stay = seen * torch.exp(-functional.relu(x[:, 3:, None]) / self.tau)  # new keys: 0
        means = x[:, :AXES, None] + stay * (means - x[:, :AXES, None])
        return torch.cat([torch.ones_like(seen), means], dim=-1)

    def _cell(self, x: Tensor, h: Tensor, c: Tensor) -> State:
        """What nn.LSTM does in one step, as matrix products (Hochreiter and Schmidhuber 1997)."""
        from_x, from_h, x_bias, h_bias = self.lstm.all_weights[0]
        gates = functional.linear(x, from_x, x_bias) + functional.linear(h, from_h, h_bias)
        i, f, g, o = gates.chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c

    def _say(self, own: Tensor, x: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Affect and spread, each (..., 2): the reading and its means, weighted."""
        said = self.head(own).unflatten(-1, (AXES, len(TAU) + 2))
        candidates = torch.cat([x[..., :AXES, None], kept[..., 1:]], dim=-1)
        affect = (said[..., :-1].softmax(-1) * candidates).sum(-1)
        return affect, self.doubt * (SMALLEST + functional.softplus(said[..., -1] - 2))


def _pack(own_h: Tensor, own_c: Tensor, kept: Tensor) -> State:
    return torch.cat([own_h, kept[:, 0]], dim=1), torch.cat([own_c, kept[:, 1]], dim=1)


def _features(x: Tensor, kept: Tensor) -> Tensor:
    """What the LSTM sees: distances only, so that it treats every level of affect alike."""
    apart = x[..., :AXES, None] - kept[..., 1:]
    apart = apart / (0.1 + apart.abs())  # bounded: nothing it meets lies far from its training
    apart = apart.flatten(-2)
    elapsed = torch.log(functional.relu(x[..., 3:]) + 0.005) / 2 + 1.5
    return torch.cat([apart, apart.abs(), (1 - x[..., 2:3]) * 4, elapsed], dim=-1)
