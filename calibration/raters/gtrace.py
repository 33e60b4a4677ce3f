"""Raw ratings of GTrace (Cowie et al. 2013), as LIRIS-ACCEDE has them: FILM_Arousal_id10.txt.

Eight lines of preamble: date, rater, film, picture, axis, scale ("-1,1"), colours, cue; then time
in seconds and rating, with a tab between and decimal commas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from calibration.traces.series import AXES
from calibration.traces.tables import TraceError

PREAMBLE = 8  # lines
RATER, AXIS, SCALE = 1, 4, 5  # lines of the preamble, from 0
NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?")


def is_gtrace(path: Path) -> bool:
    """Whether the preamble is there. A file that cannot be read is not one."""
    head = _head(path)
    return len(head) == PREAMBLE and head[AXIS].strip().lower() in AXES


def read_gtrace(path: Path) -> tuple[str, str, Iterator[tuple[int, float, float]]]:
    """Axis, rater, and (line, s, rating) of each sample.

    Raises TraceError naming the line that is no pair of numbers, or a scale that is not -1..1.
    """
    head = _head(path)
    if head[SCALE].strip() != "-1,1":
        raise TraceError(f"{path}, line {SCALE + 1}: scale is {head[SCALE]!r}, expected -1,1")
    return head[AXIS].strip().lower(), head[RATER].strip() or path.stem, _samples(path)


def _samples(path: Path) -> Iterator[tuple[int, float, float]]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for line, text in islice(enumerate(file, start=1), PREAMBLE, None):
            cells = text.strip().split("\t")
            if cells == [""]:
                continue
            if len(cells) != 2 or not all(NUMBER.fullmatch(cell) for cell in cells):
                raise TraceError(f"{path}, line {line}: {text.strip()!r} is no time and rating")
            pts, value = (float(cell.replace(",", ".")) for cell in cells)
            if not -1 <= value <= 1:
                raise TraceError(f"{path}, line {line}: rating is {value:g}, outside -1..1")
            yield line, pts, value


def _head(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return [line.rstrip("\n") for line in islice(file, PREAMBLE)]
    except OSError:
        return []  # the reader of tables says why
