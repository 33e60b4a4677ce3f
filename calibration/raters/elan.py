"""ELAN's tab-delimited export: what its columns are called, and which they are without a header.

An export with a column for each tier has a header. One with a row for each annotation has none:
tier, participant (if asked for), times of begin, end and duration in the formats asked for, value.
"""

from __future__ import annotations

import re
from pathlib import Path

TIER, WHO, VALUE = "Tier", "Participant", "Value"
BEGIN = ("Begin Time - ss.msec", "Begin Time - hh:mm:ss.ms")
END = ("End Time - ss.msec", "End Time - hh:mm:ss.ms")
CLOCK = re.compile(r"\d+:\d\d:\d\d\.\d{3}")


def bare_elan(path: Path) -> list[str] | None:
    """The header that an export without one lacks; None for any other file.

    Known by its times in hh:mm:ss.ms; an export without them cannot be told from other tables.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            cells = file.readline().rstrip("\r\n").split("\t")
    except OSError:
        return None  # the reader of tables says why
    clocks = [i for i, cell in enumerate(cells) if CLOCK.fullmatch(cell)]
    if len(clocks) < 2 or clocks[0] == 0:
        return None
    header = [f"column {i + 1}" for i in range(len(cells))]
    header[0], header[-1] = TIER, VALUE
    if clocks[0] > 1:
        header[1] = WHO
    header[clocks[0]], header[clocks[1]] = BEGIN[1], END[1]
    return header
