"""A backbone, the mean over the picture, and one linear layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from calibration.backbones import Backbone
from tracker.values import EMOTIONS


class Classifier(nn.Module):
    """frame: (n, 3, S, S), as the backbone wants it."""

    def __init__(self, backbone: Backbone, classes: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.body = backbone.body
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(backbone.width, classes)

    def forward(self, frame: Tensor) -> Tensor:
        """(n, classes): logits"""
        logits: Tensor = self.last(self.dropout(self.body(frame).mean((2, 3))))
        return logits

    def freeze(self, frozen: bool) -> None:
        """Whether only the last layer learns; what the body knows of its pictures then stays."""
        for weight in self.body.parameters():
            weight.requires_grad = not frozen
        self.train()
        if frozen:
            self.body.eval()  # the running means of its normalisations are not to move either


class Shipped(nn.Module):
    """The exported graph: probabilities of the set's classes, and of our emotions.

    emotions: for each class the one of EMOTIONS that it is, classes of one emotion add up; or
    empty, and only the classes come out. labels: of the emotions, in our order.
    """

    def __init__(self, network: Classifier, emotions: Sequence[str]) -> None:
        super().__init__()
        self.network = network
        self.labels = [label for label in EMOTIONS if label in emotions]
        gather = torch.zeros(len(emotions), len(self.labels))
        for i, emotion in enumerate(emotions):
            gather[i, self.labels.index(emotion)] = 1
        self.register_buffer("gather", gather)

    def forward(self, frame: Tensor) -> tuple[Tensor, ...]:
        classes = torch.softmax(self.network(frame), 1)
        return (classes, classes @ self.get_buffer("gather")) if self.labels else (classes,)
