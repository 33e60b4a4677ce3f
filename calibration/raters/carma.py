"""Ratings of CARMA (Girard 2014): lines of `name,value`, the scale among them; then the ratings.

As its `fig_collect_mouse.m` writes them: a line of % ends the preamble, and each rating is the mean
of the bin that ends at its time, in seconds; that of an empty bin is NaN.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from calibration.raters.gtrace import NUMBER
from calibration.traces.tables import MISSING, TraceError

FIRST, END = "Time of Rating,", "%"
LEAST, MOST = "Minimum Value", "Maximum Value"


def is_carma(path: Path) -> bool:
    """Whether the preamble is there. A file that cannot be read is not one."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return file.readline().startswith(FIRST)
    except OSError:
        return False  # the reader of tables says why


def read_carma(path: Path) -> Iterator[tuple[int, float, float]]:
    """(line, s, rating) of each bin that was rated, its own scale brought to -1..1.

    Raises TraceError naming the line that is no pair of numbers, or outside the scale.
    """
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        lines = enumerate(file, start=1)
        told: dict[str, str] = {}
        for _, text in lines:
            if text.startswith(END):
                break
            name, _, value = text.strip().partition(",")
            told[name] = value
        least, most = _scale(path, told)
        for line, text in lines:
            cells = text.strip().split(",")
            if cells == [""] or (len(cells) == 2 and cells[1].lower() in MISSING):
                continue
            if len(cells) != 2 or not all(NUMBER.fullmatch(cell) for cell in cells):
                raise TraceError(f"{path}, line {line}: {text.strip()!r} is no time and rating")
            pts, rating = map(float, cells)
            if not least <= rating <= most:
                where = f"outside the file's {least:g}..{most:g}"
                raise TraceError(f"{path}, line {line}: rating is {rating:g}, {where}")
            yield line, pts, 2 * (rating - least) / (most - least) - 1


def _scale(path: Path, told: dict[str, str]) -> tuple[float, float]:
    ends = [told.get(name, "") for name in (LEAST, MOST)]
    if not all(NUMBER.fullmatch(end) for end in ends) or not float(ends[0]) < float(ends[1]):
        raise TraceError(f"{path}: scale is {ends[0]!r} to {ends[1]!r}, expected two numbers")
    return float(ends[0]), float(ends[1])
