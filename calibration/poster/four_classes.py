"""FER2013's labels angry, happy, sad and neutral, and how often a network says them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from calibration.face.pictures import SEVEN, Votes, training_votes, validation_votes
from calibration.poster.fit import Examples
from calibration.poster.network import FOUR, TwoParts
from calibration.poster.views import MIRRORED, View, answers

SMOOTHED = 0.9  # share of a label that is believed; the rest goes to all four alike


@dataclass(frozen=True, eq=False)
class FourClasses:
    """Training from FER2013's Training part, valid from PublicTest; neither knows the other."""

    training: Examples  # targets: smoothed shares of FOUR
    valid: Examples  # targets: 1 at the label

    @property
    def truth(self) -> Tensor:
        """(n,): places in FOUR of the validation pictures."""
        return self.valid.targets.argmax(1)

    @property
    def chosen_on(self) -> Tensor:
        """(n,): the validation pictures that choose the epoch; the others are only scored."""
        return torch.arange(len(self.valid)) % 2 == 0


def load(shared: Path) -> FourClasses:
    """`shared` holds data/faces. Near-duplicates between the two parts are left out."""
    faces = shared / "data" / "faces"
    return FourClasses(
        examples_of(training_votes(faces), SMOOTHED), examples_of(validation_votes(faces), 1.0)
    )


def examples_of(votes: Votes, believed: float) -> Examples:
    """The rows with one of the four labels. believed: share of the target at the label."""
    place = places_of(votes.seven)
    kept = np.flatnonzero(place >= 0)
    hard = functional.one_hot(torch.from_numpy(place[kept]), len(FOUR)).float()
    targets = believed * hard + (1 - believed) / len(FOUR)
    return Examples(torch.from_numpy(votes.images[kept])[:, None], targets)


def places_of(seven: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places in FOUR of FER2013's labels; -1 for disgust, fear, surprise and no label."""
    places = np.full(len(SEVEN) + 1, -1, np.int64)  # the last is for UNKNOWN, which is -1
    for place, word in enumerate(FOUR):
        places[SEVEN.index(word)] = place
    return places[seven]


def cross_entropy(logits: Tensor, shares: Tensor) -> Tensor:
    return -(shares * logits.log_softmax(1)).sum(1).mean()


def judge(
    data: FourClasses, network: TwoParts, views: Sequence[View] = MIRRORED
) -> dict[str, float]:
    """score: accuracy on the half that chooses. The rest is for the table."""
    logits = answers(network, data.valid.crops, views)
    right = (logits.argmax(1) == data.truth).float()
    return {
        "score": float(right[data.chosen_on].mean()),
        "other_half": float(right[~data.chosen_on].mean()),
        "accuracy": float(right.mean()),
        "entropy": float(cross_entropy(logits, data.valid.targets)),
    }


def constant(data: FourClasses) -> tuple[str, dict[str, float]]:
    """The class that training shows most, and how often always saying it is right."""
    most = int(data.training.targets.sum(0).argmax())
    right = (data.truth == most).float()
    return FOUR[most], {
        "accuracy": float(right.mean()),
        "other_half": float(right[~data.chosen_on].mean()),
    }
