"""Delimited tables of traces, whoever wrote them, read line by line.

A cell that says it is missing is None; one that is no number is an error naming file and line.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

MISSING = {
    *("", "na", "n/a", "nan", "none", "null", "find_failed", "fit_failed"),
    *("#n/a", "."),  # of spreadsheets; of SPSS, SAS and Stata
}
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # how .xlsx, .ods and .xls begin
TIME = re.compile(
    r"(timestamp|video time|time|pts|seconds?|sec|onset|t)[ _]*[\[(]?(s|sec|seconds|ms|msec)?[\])]?"
)
CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:[.,]\d+)?)")  # hh:mm:ss.ms, mm:ss


class TraceError(RuntimeError):
    """A table of traces that cannot be used. The message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Row:
    line: int  # in the file, from 1
    cells: list[str]


class Table:
    """An open table: its header, then its rows, once.

    The delimiter is what the first line holds: tab before semicolon before comma. Beside a tab or
    semicolon a decimal comma is understood. header: the names, if the file begins with a row.
    skip: lines above that are no part of the table.
    """

    def __init__(
        self, path: Path, file: TextIO, header: list[str] | None = None, skip: int = 0
    ) -> None:
        self.name = str(path)
        self._file = file
        for _ in range(skip):
            file.readline()
        begin = file.tell()
        first = self._first()
        self.delimiter = next((d for d in "\t;" if d in first), ",")
        self._above = skip if header else skip + 1  # lines
        if header and self.delimiter != ",":
            file.seek(begin)
            self._reader = csv.reader(file, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        else:
            if header:
                file.seek(begin)
            self._reader = csv.reader(file, delimiter=self.delimiter, strict=True)
        named = header or next(csv.reader([first], delimiter=self.delimiter))
        self.written = named  # as it stands in the file
        self.header = [name.strip() for name in self.written]  # old OpenFace: " timestamp"
        twice = sorted({name for name in self.header if name and self.header.count(name) > 1})
        if twice:
            raise TraceError(f"{self.name}, line 1: two columns are named {twice[0]!r}")

    def column(self, *names: str) -> int | None:
        """Where the first of these names stands; letter case does not matter.

        Raises TraceError if two columns differ in nothing else: OpenFace's x_0 and X_0 do, but
        nobody asks for those.
        """
        for name in names:
            alike = [i for i, known in enumerate(self.header) if known.lower() == name.lower()]
            if len(alike) > 1:
                raise TraceError(f"{self.name}, line 1: two columns are named {name!r}")
            if alike:
                return alike[0]
        return None

    def time_column(self) -> int | None:
        """The first column whose name means time in seconds or milliseconds."""
        return next((i for i, n in enumerate(self.header) if TIME.fullmatch(n.lower())), None)

    def rows(self) -> Iterator[Row]:
        """Empty lines are passed over. Raises TraceError at a line with too few or many cells."""
        try:
            for cells in self._reader:
                if not any(cell.strip() for cell in cells):
                    continue
                line = self._reader.line_num + self._above
                if len(cells) != len(self.header):
                    want = len(self.header)
                    raise TraceError(
                        f"{self.name}, line {line}: {len(cells)} cells, the header has {want}"
                    )
                yield Row(line, cells)
        except (UnicodeDecodeError, csv.Error) as wrong:
            line = self._reader.line_num + self._above
            raise TraceError(f"{self.name}, line {line}: not readable text ({wrong})") from wrong

    def number(self, row: Row, column: int) -> float | None:
        """None where the cell says that nothing was measured."""
        text = row.cells[column].strip()
        if text.lower() in MISSING:
            return None
        value = _as_float(text if self.delimiter == "," else text.replace(",", "."))
        if value is None:
            raise self.wrong(row, column, "not a number")
        return value

    def seconds(self, row: Row, column: int) -> float:
        """From seconds, milliseconds if the header says so, or a clock: mm:ss, hh:mm:ss.ms."""
        text = row.cells[column].strip()
        clock = CLOCK.fullmatch(text)
        if clock:
            hours, minutes, seconds = clock.groups()
            return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
        value = self.number(row, column)
        if value is None:
            raise self.wrong(row, column, "not a time")
        unit = TIME.fullmatch(self.header[column].lower())
        return value / 1000 if unit and (unit[2] or "").startswith("m") else value

    def wrong(self, row: Row, column: int, why: str) -> TraceError:
        """The error of one cell, to be raised."""
        name, cell = self.header[column] or f"column {column + 1}", row.cells[column].strip()
        return TraceError(f"{self.name}, line {row.line}: {name} is {cell!r}, {why}")

    def _first(self) -> str:
        try:
            first = self._file.readline().rstrip("\r\n")
        except UnicodeDecodeError as wrong:
            raise TraceError(f"{self.name}: not UTF-8 text ({wrong})") from wrong
        if not first.strip():
            raise TraceError(f"{self.name}, line 1: no header")
        return first


@contextmanager
def open_table(path: Path, header: list[str] | None = None, skip: int = 0) -> Iterator[Table]:
    """Raises TraceError naming the file if it cannot be read, or has no header."""
    try:
        if path.is_file():  # a pipe could be read only once
            with path.open("rb") as begin:
                if begin.read(4).startswith(SPREADSHEETS):
                    raise TraceError(f"{path}: a spreadsheet, no table; save it as CSV (UTF-8)")
        file = path.open(newline="", encoding="utf-8-sig")
    except OSError as wrong:
        raise TraceError(f"{path}: cannot read ({wrong.strerror})") from wrong
    with file:
        yield Table(path, file, header, skip)


def _as_float(text: str) -> float | None:
    if "_" in text:  # Python would read 0_1 as 1
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
