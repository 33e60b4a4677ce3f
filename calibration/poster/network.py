"""The poster's network, ours with the poster's four answers, and the change to one output a rater.

The poster builds on Khorrami et al. 2016, "How deep neural networks can improve emotion
recognition on video data": three convolutions, quadrant pooling (Coates et al. 2011, sec. 3.2.2:
the map of each filter in four quarters), one hidden layer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from calibration.face.network import FaceNetwork, normalised
from calibration.face.pictures import SEVEN

FILTERS = (64, 128, 256)  # the poster's
HIDDEN = 200  # the poster's
KERNEL = 5  # px; the poster names none; 5 as we remember Khorrami et al., not checked
DROPOUT = 0.5  # of the hidden layer; the poster names none
FOUR = ("anger", "happiness", "sadness", "neutral")  # the poster's angry, happy, sad, neutral


class TwoParts(nn.Module, ABC):
    """A network in two parts, so that only the first runs in bfloat16."""

    @abstractmethod
    def look(self, crops: Tensor) -> Tensor:
        """(n, k): features of (n, 1, S, S) grey crops, 0..255."""

    @abstractmethod
    def head(self, features: Tensor) -> Tensor:
        """(n, outputs)"""

    def forward(self, face: Tensor) -> Tensor:
        return self.head(self.look(face))


class PosterNetwork(TwoParts):
    """crops: (n, 1, S, S), grey levels 0..255, S a multiple of 8. Out: (n, outputs), linear.

    Softmax is part of the loss of four classes, and there is none over raters.
    """

    def __init__(self, outputs: int = len(FOUR), size: int = 48) -> None:
        super().__init__()
        if size % 8:
            raise ValueError(f"crops of {size} px have no four equal quarters after two poolings")
        layers: list[nn.Module] = []
        before = 1
        for after in FILTERS:
            layers += [nn.Conv2d(before, after, KERNEL, padding=KERNEL // 2), nn.ReLU()]
            layers += [QuadrantPool() if after == FILTERS[-1] else nn.MaxPool2d(2)]
            before = after
        self.body = nn.Sequential(*layers)
        self.hidden = nn.Linear(4 * FILTERS[-1], HIDDEN)
        self.dropout = nn.Dropout(DROPOUT)
        self.answer = nn.Linear(HIDDEN, outputs)

    def look(self, crops: Tensor) -> Tensor:
        maps: Tensor = self.body(normalised(crops))
        return maps.flatten(1)

    def head(self, features: Tensor) -> Tensor:
        answer: Tensor = self.answer(self.dropout(functional.relu(self.hidden(features))))
        return answer


class QuadrantPool(nn.Module):
    """(n, c, H, W) -> (n, c, 2, 2): the largest value of each quarter; H and W even."""

    def forward(self, maps: Tensor) -> Tensor:
        return functional.max_pool2d(maps, (maps.shape[2] // 2, maps.shape[3] // 2))


class OursNetwork(TwoParts):
    """The shipped architecture with one linear layer to the poster's four classes.

    The layer starts as the four rows of `face.seven`, FaceNetwork's own head for these labels.
    """

    def __init__(self, face: FaceNetwork) -> None:
        super().__init__()
        self.face = face
        self.answer = nn.Linear(face.seven.in_features, len(FOUR))
        rows = [SEVEN.index(word) for word in FOUR]
        with torch.no_grad():
            self.answer.weight.copy_(face.seven.weight[rows])
            self.answer.bias.copy_(face.seven.bias[rows])

    def look(self, crops: Tensor) -> Tensor:
        return self.face.look(crops)

    def head(self, features: Tensor) -> Tensor:
        answer: Tensor = self.answer(self.face.dropout(features))
        return answer


def with_raters(network: PosterNetwork, means: Sequence[float]) -> PosterNetwork:
    """A copy whose softmax layer is replaced by a linear one with an output for each rater.

    means: each rater's mean rating. The new layer starts there, which is the constant answer.
    """
    changed = PosterNetwork(len(means))
    kept = {k: v for k, v in network.state_dict().items() if not k.startswith("answer.")}
    changed.load_state_dict(kept, strict=False)
    with torch.no_grad():
        changed.answer.weight.mul_(0.1)
        changed.answer.bias.copy_(torch.tensor(means))
    return changed
