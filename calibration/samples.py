"""What the recipes for other people's data sets share: errors that name a row, pictures, parts."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from tracker.models import ModelError
from tracker.resize import resized
from tracker.sources import SourceError
from tracker.sources.photos import read_photo
from tracker.values import Image

R = TypeVar("R")
T = TypeVar("T")
FAILED = 2  # exit code


class RecipeError(ValueError):
    """Data or a library that cannot be used as asked. One line that names file and row."""


def read_picture(path: Path, where: str) -> Image:
    """RGB. where: what names the picture, for the error. Raises RecipeError."""
    try:
        return read_photo(path)
    except SourceError as wrong:
        raise RecipeError(f"{where}: {path.name}: {wrong}") from wrong


def gathered(raw: Iterable[R], make: Callable[[R], T], *, skip: bool) -> list[T]:
    """What `make` makes of each. With `skip` those that it refuses are counted and said to be
    left out; otherwise the first one ends it. Raises RecipeError, also if nothing is left."""
    found: list[T] = []
    refused: list[str] = []
    for one in raw:
        try:
            found.append(make(one))
        except RecipeError as wrong:
            if not skip:
                raise
            refused.append(str(wrong))
    if refused:
        print(f"{len(refused)} left out; the first: {refused[0]}", file=sys.stderr)
    if not found:
        raise RecipeError("nothing is left of the set" if refused else "the set is empty")
    return found


def existing(path: Path, where: str) -> Path:
    """Raises RecipeError if there is no such file."""
    if not path.is_file():
        raise RecipeError(f"{where}: no picture {path}")
    return path


def varied(images: Sequence[Image], luck: Sequence[float]) -> list[Image]:
    """One change for all pictures of a sample: mirrored left to right half of the time, never
    upside down (nobody sees pictures so); contrast and brightness by up to a fifth.

    luck: three numbers of 0..1.
    """
    gain, shift = 0.8 + 0.4 * luck[1], 51 * (luck[2] - 0.5)
    levels = np.clip((np.arange(256) - 128) * gain + 128 + shift, 0, 255).astype(np.uint8)
    turned = (image[:, ::-1] if luck[0] < 0.5 else image for image in images)
    return [levels[image] for image in turned]


def squashed(image: Image, size: int) -> Image:
    """(3, size, size): the whole picture, whatever its shape, as the runtime shows it."""
    return np.ascontiguousarray(resized(image, (size, size)).transpose(2, 0, 1))


def part_of(name: str, shares: Sequence[float]) -> int:
    """Which part a sample belongs to, by its name alone: the order of files never matters.

    shares: of each part; they sum to 1.
    """
    place = int(hashlib.sha1(name.encode()).hexdigest()[:8], 16) / 0x1_0000_0000
    below = np.cumsum(shares)
    return min(int(np.searchsorted(below, place, side="right")), len(shares) - 1)


def run(main: Callable[[], None]) -> None:
    """Ends the program: bad input is one line and exit code 2, as the command line has it."""
    try:
        main()
    except (RecipeError, ModelError, SourceError) as wrong:
        print(f"emotrack: {wrong}", file=sys.stderr)
        sys.exit(FAILED)
    except FileNotFoundError as wrong:
        print(f"emotrack: {wrong.filename}: {wrong.strerror}", file=sys.stderr)
        sys.exit(FAILED)
