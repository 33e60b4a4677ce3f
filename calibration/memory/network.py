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
TAU = (0.08, 0.2, 0.5, 1.0, 2.0)  # s, time constants of the running means
KEPT = 2 + len(TAU)  # state of an axis beside the LSTM's: seen or not, last answer, means
SLOWEST, FASTEST = 1.0, 500.0  # per s; so an answer is never held for long against its readings
SMALLEST = 0.01  # the least deviation the memory may claim

State = tuple[Tensor, Tensor]  # h, c: each (n, hidden)


class Memory(nn.Module):
    """One step: x (n, 4), h, c (n, hidden) to affect (n, 2), spread (n, 2), h, c.

    h holds the LSTM's own h, then what is kept of valence; c its own c, then that of arousal.
    """

    def __init__(self, units: int = 32) -> None:
        super().__init__()
        self.units = units
        self.hidden = units + KEPT
        self.tau: Tensor
        self.register_buffer("tau", torch.tensor(TAU), persistent=False)
        self.lstm = nn.LSTM(2 * AXES * len(TAU) + 2, units, batch_first=True)
        self.head = nn.Linear(units, AXES * (len(TAU) + 3))  # weights of x and means, gate, spread
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def new_state(self, keys: int) -> State:
        return torch.zeros(keys, self.hidden), torch.zeros(keys, self.hidden)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        own_h, own_c, kept = self._unpack(h, c)
        means = self._take_in(x, kept)
        own_h, own_c = self._cell(_features(x, means), own_h, own_c)
        weights, gate, spread = self._judge(own_h, x[:, 3])
        answer = _step(_believed(x, means, weights), gate, kept[..., 0], kept[..., 1])
        return answer, spread, *self._pack(own_h, own_c, answer, means)

    def follow(self, x: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """x (n, t, 4) to affect (n, t, 2), spread (n, t, 2) and the state after the last step."""
        own_h, own_c, kept = self._unpack(*state)
        seen, answer = kept[..., 0], kept[..., 1]
        rows = []
        for now in x.unbind(1):  # nothing to be learned here, so it may run ahead
            means = self._take_in(now, kept)
            kept = torch.cat([torch.ones_like(kept[..., :2]), means], dim=2)
            rows.append(means)
        means = torch.stack(rows, dim=1)
        own, (last_h, last_c) = self.lstm(_features(x, means), (own_h[None], own_c[None]))
        weights, gate, spread = self._judge(own, x[..., 3])
        believed = _believed(x, means, weights)
        answers = []
        for m, g in zip(believed.unbind(1), gate.unbind(1), strict=True):
            answer = _step(m, g, seen, answer)
            seen = torch.ones_like(seen)
            answers.append(answer)
        state = self._pack(last_h[0], last_c[0], answer, means[:, -1])
        return torch.stack(answers, dim=1), spread, state

    def _unpack(self, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        kept = torch.stack([h[:, self.units :], c[:, self.units :]], dim=1)  # (n, 2, KEPT)
        return h[:, : self.units], c[:, : self.units], kept

    def _pack(self, own_h: Tensor, own_c: Tensor, answer: Tensor, means: Tensor) -> State:
        kept = torch.cat([torch.ones_like(answer)[..., None], answer[..., None], means], dim=2)
        return torch.cat([own_h, kept[:, 0]], dim=1), torch.cat([own_c, kept[:, 1]], dim=1)

    def _take_in(self, x: Tensor, kept: Tensor) -> Tensor:
        """(n, 2, means): each running mean moves as far as its time constant lets it."""
        seen, means = kept[..., :1], kept[..., 2:]
        move = 1 - torch.exp(-functional.relu(x[:, 3:, None]) / self.tau)  # (n, 1, means)
        move = 1 - seen * (1 - move)  # a new key takes the reading as it is
        return means + move * (x[:, :AXES, None] - means)

    def _cell(self, x: Tensor, h: Tensor, c: Tensor) -> State:
        """What nn.LSTM does in one step, as matrix products (Hochreiter and Schmidhuber 1997)."""
        from_x, from_h, x_bias, h_bias = self.lstm.all_weights[0]
        gates = functional.linear(x, from_x, x_bias) + functional.linear(h, from_h, h_bias)
        i, f, g, o = gates.chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c

    def _judge(self, own: Tensor, elapsed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Weights (..., 2, means + 1) that sum to 1, gate (..., 2) in (0, 1), spread (..., 2)."""
        said = self.head(own).unflatten(-1, (AXES, len(TAU) + 3))
        rate = (torch.exp(said[..., -2]) * 10).clamp(SLOWEST, FASTEST)  # per s; starts at 0.1 s
        gate = 1 - torch.exp(-functional.relu(elapsed)[..., None] * rate)
        return said[..., :-2].softmax(-1), gate, SMALLEST + functional.softplus(said[..., -1] - 2)


def _features(x: Tensor, means: Tensor) -> Tensor:
    """What the LSTM sees: distances only, so that it treats every level of affect alike."""
    apart = x[..., :AXES, None] - means
    apart = apart / (0.1 + apart.abs())  # bounded: nothing it meets lies far from its training
    apart = apart.flatten(-2)
    elapsed = torch.log(functional.relu(x[..., 3:]) + 0.005) / 2 + 1.5
    return torch.cat([apart, apart.abs(), (1 - x[..., 2:3]) * 4, elapsed], dim=-1)


def _believed(x: Tensor, means: Tensor, weights: Tensor) -> Tensor:
    return (weights * torch.cat([x[..., :AXES, None], means], dim=-1)).sum(-1)


def _step(believed: Tensor, gate: Tensor, seen: Tensor, answer: Tensor) -> Tensor:
    gate = 1 - seen * (1 - gate)  # the first answer is the first reading
    return answer + gate * (believed - answer)
