"""The paper's losses (Kosti et al. 2019, section 5.2)."""

from __future__ import annotations

import torch
from torch import Tensor

RANGE = 1.2  # the paper's c: the weights lie between 1 / ln(c + 1) = 1.27 and 1 / ln c = 5.48
MARGIN = 1.0  # on the scale of 1..10; as public re-implementations take it, unverified


def category_loss(said: Tensor, truth: Tensor) -> Tensor:
    """Euclidean loss over the categories, each weighted by how rare it is in this very batch.

    said: (n, 26), 0..1. truth: (n, 26), 0 or 1. The paper's prediction is linear; ours goes
    through a sigmoid, so that it may be read as a score.
    """
    share = truth.mean(0)
    weight = 1 / torch.log(RANGE + share)
    return (weight * (said - truth).square()).sum(1).mean()


def vad_loss(said: Tensor, truth: Tensor, margin: float = MARGIN) -> Tensor:
    """Euclidean loss over valence, arousal and dominance; what is closer than `margin` is right.

    said, truth: (n, 3), 1..10. nan in `truth`: not rated, does not count.
    """
    off = torch.where(truth.isnan(), 0.0, said - truth)
    return torch.where(off.abs() < margin, 0.0, off.square()).sum(1).mean()
