"""One column of a table: its name, its unit, and how it is read from a result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tracker.values import Affect, FrameResult, PersonReading

Cell = str | int | float | None
Person = PersonReading | None


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    unit: str  # as written to the sidecar
    decimals: int  # of a float cell
    read: Callable[[FrameResult, Person], Cell]
    of_face: bool = False  # says something of one face, not of the whole frame
    words: bool = False  # its cells are words, not numbers


def of_face(name: str, unit: str, decimals: int, read: Callable[[PersonReading], Cell]) -> Column:
    """Empty in a row without a face."""
    return Column(name, unit, decimals, lambda _, p: None if p is None else read(p), True)


def axis(affect: Affect | None, name: str) -> float | None:
    return None if affect is None else getattr(affect, name)
