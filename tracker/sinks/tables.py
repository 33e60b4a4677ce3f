"""The results as they come: CSV and JSON lines with the same columns and values."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from types import TracebackType

from tracker.sinks.base import Lines
from tracker.sinks.rows import Column, rows, text
from tracker.values import Step


class _Table:
    """What both formats share: the header, the file, and how many rows went out."""

    def __init__(self, target: str, header: Sequence[Column]) -> None:
        self.rows = 0
        self.header = header
        self._lines = Lines(target)

    def __enter__(self) -> _Table:
        self._lines.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lines.__exit__(kind, error, trace)


class CsvTable(_Table):
    """UTF-8, comma, `\\n`, a header line; missing is empty."""

    def __enter__(self) -> CsvTable:
        super().__enter__()
        self._lines.write(_line([column.name for column in self.header]))
        return self

    def write(self, step: Step) -> None:
        found = [_line(text(cells, self.header)) for cells in rows(step.result, self.header)]
        self._lines.write("".join(found))
        self.rows += len(found)


class JsonLines(_Table):
    """One object per row; missing is null."""

    def __enter__(self) -> JsonLines:
        super().__enter__()
        return self

    def write(self, step: Step) -> None:
        names = [column.name for column in self.header]
        found = [
            json.dumps(dict(zip(names, cells, strict=True)), ensure_ascii=False) + "\n"
            for cells in rows(step.result, self.header)
        ]
        self._lines.write("".join(found))
        self.rows += len(found)


def _line(cells: Sequence[str]) -> str:
    """Quoted where a name needs it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()
