"""Pictures of which people said what they feel, as the network is shown them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from calibration.samples import RecipeError, part_of, read_picture, squashed, varied
from tracker.values import Image

LEAST = 0.85  # of either side, that a random crop keeps

Shown = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Sample:
    where: str  # row of the table, for errors
    picture: Path
    label: int  # index into the classes


@dataclass(frozen=True)
class Pictures:
    """A set in its parts. Which part a picture is in follows from its file's name."""

    classes: tuple[str, ...]  # as the set names them
    train: list[Sample]
    val: list[Sample]
    test: list[Sample]


def parted(
    classes: tuple[str, ...], samples: Sequence[Sample], shares: Sequence[float]
) -> Pictures:
    """shares: of train, val and test. Raises RecipeError if a part has no picture."""
    parts: tuple[list[Sample], ...] = ([], [], [])
    for sample in samples:
        parts[part_of(sample.picture.name, shares)].append(sample)
    for name, part in zip(("train", "val", "test"), parts, strict=True):
        if not part:
            raise RecipeError(f"{len(samples)} pictures are too few: none falls to {name}")
    return Pictures(classes, *parts)


class Shows(Dataset[Shown]):
    """One item: the whole picture (3, S, S) uint8, and its label.

    training: a little is cut off, it is mirrored, and its light changes; never upside down.
    """

    def __init__(self, samples: Sequence[Sample], size: int, *, training: bool = False) -> None:
        self._samples = samples
        self._size = size
        self._training = training

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, i: int) -> Shown:
        sample = self._samples[i]
        image = read_picture(sample.picture, sample.where)
        if self._training:
            luck: list[float] = torch.rand(7).tolist()
            (image,) = varied([_cropped(image, luck[3:])], luck[:3])
        return torch.from_numpy(squashed(image, self._size)), torch.tensor(sample.label)


def _cropped(image: Image, luck: Sequence[float]) -> Image:
    """luck: four numbers of 0..1: height, width, top, left."""
    height, width = image.shape[:2]
    high = max(1, round(height * (1 - (1 - LEAST) * luck[0])))
    wide = max(1, round(width * (1 - (1 - LEAST) * luck[1])))
    top, left = round((height - high) * luck[2]), round((width - wide) * luck[3])
    return image[top : top + high, left : left + wide]
