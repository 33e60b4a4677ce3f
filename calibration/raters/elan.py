"""ELAN's tab-delimited and CSV exports: where their times are, with a header and without one.

An export with a column for each tier has a header. One with a row for each annotation has none:
tier, participant (if asked for), then begin, end and duration (each if asked for) in one or more
formats, value, and what else was asked for. Both may begin with lines that name the media. As
written by Transcription2TabDelimitedText of ELAN (Max Planck Institute for Psycholinguistics).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

TIER, WHO, VALUE = "Tier", "Participant", "Value"
UNITS = {"ss.msec": 1.0, "hh:mm:ss.ms": 1.0, "msec": 0.001}  # s in one; the clock is read in s
SMPTE = "hh:mm:ss:ff"
POINTS = ("Begin Time", "End Time", "Duration")
KINDS = (  # what a cell of each format looks like
    ("hh:mm:ss.ms", re.compile(r"-?\d+:\d\d:\d\d\.\d{3}")),
    (SMPTE, re.compile(r"-?\d+:\d\d:\d\d[:;]\d\d")),
    ("ss.msec", re.compile(r"-?\d+\.\d+(E-?\d+)?")),
    ("msec", re.compile(r"-?\d+")),
)
SHARES = 0.0015  # s by which begin + duration may miss the end: all are rounded


@dataclass(frozen=True, slots=True)
class Bare:
    """What an export lacks, and where it begins."""

    header: list[str] | None  # None: it has one
    skip: int  # lines above the header, or above the first annotation


def bare_elan(path: Path) -> Bare:
    """What to know before a table is read as an ELAN export; nothing is lacking in other tables.

    An export without a header is known by its first annotation: times as hh:mm:ss.ms, or three
    of which the third is the second less the first.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            for skip, line in enumerate(file):
                if not line.startswith('"#') and (line.strip() or not skip):
                    return Bare(_header(line.rstrip("\r\n")), skip)
    except OSError:
        pass  # the reader of tables says why
    return Bare(None, 0)


def times_of(header: Sequence[str]) -> tuple[int, int | None, float] | None:
    """Columns of begin and end, and s in their unit; None if this is no header of ELAN's.

    In another language than English the first column of a format is the begin, the second the
    end: so ELAN writes them.
    """
    for unit, seconds in UNITS.items():
        found = [i for i, name in enumerate(header) if name.lower().endswith(f" - {unit}")]
        words = [header[i].lower().removesuffix(f" - {unit}") for i in found]
        if not found:
            continue
        if words[0] == POINTS[0].lower():
            end = POINTS[1].lower()
            return found[0], found[words.index(end)] if end in words else None, seconds
        if words[0] not in (point.lower() for point in POINTS):
            return found[0], found[1] if len(found) > 1 else None, seconds
    return None


def frames_alone(cells: Sequence[str]) -> str | None:
    """Why these cells of a table without a column of times give none, if one is SMPTE's."""
    found = next((cell for cell in map(str.strip, cells) if _kind(cell) == SMPTE), None)
    if found is None:
        return None
    others = ", ".join(map(repr, UNITS))
    return (
        f"its times are SMPTE timecode alone ({found}), which counts frames; "
        f"tick one of {others} as well where ELAN exports it"
    )


def _header(line: str) -> list[str] | None:
    """The header that an export without one lacks; None if the line is one, or no export's."""
    cells = line.split("\t") if "\t" in line else next(csv.reader([line]), [])
    for first in (1, 2):
        for points in (3, 2):
            for formats in range(1, 5):
                times = _times(cells, first, points, formats)
                if times is not None:
                    return _named(cells, first, points, times)
    return None


def _times(cells: Sequence[str], first: int, points: int, formats: int) -> list[str] | None:
    """The formats, if `points` x `formats` cells from `first` on are times of an annotation."""
    last = first + points * formats
    if last >= len(cells):
        return None
    rows = [cells[first + p * formats : first + (p + 1) * formats] for p in range(points)]
    kinds = [[_kind(cell) for cell in row] for row in rows]
    if None in kinds[0] or any(one != two for one, two in pairwise(kinds)):
        return None
    known = [kind for kind in kinds[0] if kind is not None]
    if len(set(known)) < formats or set(known) == {SMPTE}:
        return None
    at = next(i for i, kind in enumerate(known) if kind in UNITS)
    read = [_seconds(row[at], known[at]) for row in rows]
    if points == 3:
        return known if abs(read[1] - read[0] - read[2]) < SHARES else None
    return known if known[at] == "hh:mm:ss.ms" and read[1] >= read[0] else None


def _named(cells: Sequence[str], first: int, points: int, formats: Sequence[str]) -> list[str]:
    header = [f"column {i + 1}" for i in range(len(cells))]
    header[0] = TIER
    if first > 1:
        header[1] = WHO
    names = (f"{point} - {unit}" for point in POINTS[:points] for unit in formats)
    for i, name in enumerate([*names, VALUE], start=first):
        header[i] = name
    return header


def _kind(cell: str) -> str | None:
    return next((kind for kind, shape in KINDS if shape.fullmatch(cell)), None)


def _seconds(cell: str, kind: str) -> float:
    if kind != "hh:mm:ss.ms":
        return float(cell) * UNITS[kind]
    hours, minutes, seconds = cell.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
