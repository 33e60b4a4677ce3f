"""Annotated people as what the network is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from calibration.emotic.annotations import Person
from calibration.samples import read_picture, squashed, varied
from tracker.values import CATEGORIES, Image

MOVED = 0.15  # of the box's side, either way: at run time the box is a guess from the face

Shown = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Sizes:
    """Sides of the two inputs, px. The paper has 128 and 224."""

    person: int
    frame: int


class People(Dataset[Shown]):
    """One item: person and frame (3, S, S) uint8; categories (26,) 0 or 1; vad (3,) 1..10 or nan.

    training: boxes are moved a little, pictures mirrored and their light changed.
    """

    def __init__(self, people: Sequence[Person], sizes: Sizes, *, training: bool = False) -> None:
        self._people = people
        self._sizes = sizes
        self._training = training

    def __len__(self) -> int:
        return len(self._people)

    def __getitem__(self, i: int) -> Shown:
        person = self._people[i]
        frame = read_picture(person.picture, person.where)
        luck: list[float] = torch.rand(7).tolist() if self._training else [0.5] * 7
        body = cut(frame, person.box, [2 * MOVED * (one - 0.5) for one in luck[:4]])
        if self._training:
            body, frame = varied([body, frame], luck[4:])
        categories = torch.zeros(len(CATEGORIES))
        categories[list(person.categories)] = 1
        return (
            torch.from_numpy(squashed(body, self._sizes.person)),
            torch.from_numpy(squashed(frame, self._sizes.frame)),
            categories,
            torch.tensor(person.vad),
        )


def cut(image: Image, box: Sequence[int], moved: Sequence[float]) -> Image:
    """The box's part of the picture, at least a pixel. moved: of each edge, in sides of the box."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = box
    wide, high = x1 - x0, y1 - y0
    x0, x1 = round(x0 + moved[0] * wide), round(x1 + moved[2] * wide)
    y0, y1 = round(y0 + moved[1] * high), round(y1 + moved[3] * high)
    x0, y0 = min(max(0, x0), width - 1), min(max(0, y0), height - 1)
    return image[y0 : max(y0 + 1, y1), x0 : max(x0 + 1, x1)]
