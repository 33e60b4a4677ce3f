"""The results as they come: CSV and JSON lines with the same columns and values."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from types import TracebackType

from tracker.sinks.base import Lines, SinkError
from tracker.sinks.column import Cell, Column
from tracker.sinks.rows import rows, text
from tracker.values import Step


class Table:
    """One line per row; every row is with the system as soon as it is written.

    line: a row as text, with its newline. first: what stands above the rows.
    """

    def __init__(
        self,
        target: str,
        header: Sequence[Column],
        line: Callable[[Sequence[Cell]], str],
        first: str = "",
    ) -> None:
        self.header = header
        self.target = target
        self.rows = 0
        self._lines = Lines(target)
        self._line = line
        self._first = first

    def __enter__(self) -> Table:
        self._lines.__enter__()
        try:
            self._lines.write(self._first)
        except SinkError:
            self._lines.__exit__(None, None, None)
            self._lines.discard()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lines.__exit__(kind, error, trace)
        if kind is not None and not self.rows:
            self._lines.discard()

    def write(self, step: Step) -> None:
        found = [self._line(cells) for cells in rows(step.result, self.header)]
        self._lines.write("".join(found))
        self.rows += len(found)

    def kept(self) -> bool:
        """Whether rows were written, and are there still."""
        return self.rows > 0 and self._lines.ours()


def csv_table(target: str, header: Sequence[Column]) -> Table:
    """UTF-8, comma, `\\n`, a header line; missing is empty."""
    names = _comma_separated([column.name for column in header])
    return Table(target, header, lambda cells: _comma_separated(text(cells, header)), names)


def json_lines(target: str, header: Sequence[Column]) -> Table:
    """One object per row; missing is null."""
    names = [column.name for column in header]

    def line(cells: Sequence[Cell]) -> str:
        return json.dumps(dict(zip(names, cells, strict=True)), ensure_ascii=False) + "\n"

    return Table(target, header, line)


def _comma_separated(cells: Sequence[str]) -> str:
    """Quoted where a name needs it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()
