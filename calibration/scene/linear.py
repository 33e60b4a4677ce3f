"""Linear heads: ridge for scales, softmax for labels, and a scale for what they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Table = NDArray[np.float64]
Rows = NDArray[np.int64]

PENALTIES = (0.3, 1.0, 3.0, 10.0)  # of ridge, beside a kernel whose rows are near 1


@dataclass(frozen=True)
class Linear:
    """x @ weight + bias: (n, c) to (n, k)."""

    weight: Table  # (c, k)
    bias: Table  # (k,)

    def __call__(self, x: Table) -> Table:
        return x @ self.weight + self.bias


@dataclass(frozen=True)
class Scale:
    """Brings each feature to mean 0, and each block of features to its weight in the kernel."""

    mean: Table
    gain: Table

    @classmethod
    def of(cls, x: Table, widths: Sequence[int], weights: Sequence[float]) -> Scale:
        parts = [np.full(n, np.sqrt(w / n)) for n, w in zip(widths, weights, strict=True)]
        return cls(x.mean(0), np.concatenate(parts) / (x.std(0) + 1e-6))

    def __call__(self, x: Table) -> Table:
        return np.asarray((x - self.mean) * self.gain, np.float64)

    def undone(self, head: Linear) -> Linear:
        """The same answers from features as they come."""
        weight = head.weight * self.gain[:, None]
        return Linear(weight, head.bias - self.mean @ weight)


def ridge(x: Table, y: Table, penalty: float) -> Linear:
    """Least squares with a penalty on the weights, solved over rows (they are fewer)."""
    mean, middle = x.mean(0), y.mean(0)
    centred = x - mean
    kernel = centred @ centred.T
    dual = np.linalg.solve(kernel + penalty * np.eye(len(x)), y - middle)
    weight = centred.T @ dual
    return Linear(weight, middle - mean @ weight)


def fitted_ridge(x: Table, y: Table, fold: Rows, deviation: float | None = None) -> Linear:
    """Ridge, each column of y with the penalty that does best on folds left out in turn.

    A ridge answers too close to the mean, and concordance falls with it. deviation: stretches the
    answers about the mean until theirs, on the folds left out, is that share of the truth's.
    """
    tried = [_left_out(x, y, fold, penalty) for penalty in PENALTIES]
    middle, columns = y.mean(0), []
    for k, truth in enumerate(y.T):
        errors = [float(((answers[:, k] - truth) ** 2).mean()) for answers in tried]
        best = int(np.argmin(errors))
        head = ridge(x, y[:, k : k + 1], PENALTIES[best])
        factor = 1.0
        if deviation is not None:
            factor = deviation * truth.std() / tried[best][:, k].std()
        bias = middle[k] + (head.bias - middle[k]) * factor
        columns.append(Linear(head.weight * factor, bias))
    return side_by_side(columns)


def softmax(x: Table, shares: Table, penalty: float) -> Linear:
    """Least cross entropy to `shares` (n, k), summing to 1, with a penalty on the weights."""
    inputs, truth = torch.from_numpy(x), torch.from_numpy(shares)
    weight = torch.zeros(x.shape[1], shares.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(shares.shape[1], dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [weight, bias], max_iter=100, tolerance_grad=1e-6, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        search.zero_grad()
        logits = inputs @ weight + bias
        value = -(truth * logits.log_softmax(1)).sum(1).mean() + penalty * weight.square().sum()
        torch.autograd.backward(value)
        return value

    search.step(loss)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return Linear(weight.detach().numpy(), bias.detach().numpy())


def side_by_side(heads: Sequence[Linear]) -> Linear:
    return Linear(
        np.concatenate([head.weight for head in heads], 1),
        np.concatenate([head.bias for head in heads]),
    )


def _left_out(x: Table, y: Table, fold: Rows, penalty: float) -> Table:
    """(n, k): each row's answer by a head that saw no row of its fold."""
    answers = np.zeros_like(y)
    for k in np.unique(fold):
        rows = fold == k
        answers[rows] = ridge(x[~rows], y[~rows], penalty)(x[rows])
    return answers
