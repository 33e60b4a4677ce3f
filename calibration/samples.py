"""What the recipes for other people's data sets share: errors that name a row, pictures, parts."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from tracker.resize import resized
from tracker.sources import SourceError
from tracker.sources.photos import read_photo
from tracker.values import Image

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


def present(
    samples: Sequence[T], picture: Callable[[T], Path], where: Callable[[T], str], *, skip: bool
) -> list[T]:
    """Those whose picture is there; without `skip` a missing one is a RecipeError."""
    found = []
    for sample in samples:
        if picture(sample).is_file():
            found.append(sample)
        elif not skip:
            raise RecipeError(f"{where(sample)}: no picture {picture(sample)}")
    if not found:
        raise RecipeError("none of the pictures is there" if samples else "the set is empty")
    return found


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
    except RecipeError as wrong:
        print(f"emotrack: {wrong}", file=sys.stderr)
        sys.exit(FAILED)
