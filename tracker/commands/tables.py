"""The tables of a run, each with its sidecar, and what is left of them when one fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tracker.run import Sink
from tracker.sinks.column import Column
from tracker.sinks.sidecar import Sidecar, beside
from tracker.sinks.tables import Table, csv_table, json_lines
from tracker.sources import Source

FORMATS = {"csv": csv_table, "jsonl": json_lines}


class Tables:
    """What one run writes down.

    about: facts known from the start. empty: column -> why no row can fill it.
    """

    def __init__(
        self, header: Sequence[Column], about: Mapping[str, Any], empty: Mapping[str, str]
    ) -> None:
        self.sources: list[Source] = []  # every input so far; whoever opens one adds it
        self._header, self._about, self._empty = header, about, empty
        self._opened: list[Table] = []

    def opened(self, targets: Mapping[str, str]) -> list[Sink]:
        """targets: format -> file, or "-" for standard output."""
        sinks: list[Sink] = []
        for kind, target in targets.items():
            table = FORMATS[kind](target, self._header)
            self._opened.append(table)
            sinks.append(table)
            if beside(target):
                sidecar = Path(target), table, self._about, self.sources, self._empty
                sinks.append(Sidecar(*sidecar))
        return sinks

    def kept(self, *, but: str = "") -> str:
        """Which rows stay after an output has failed, in words; "" if none do.

        but: the table that does not count.
        """
        return ", ".join(_told(t) for t in self._opened if t.target != but and t.kept())


def _told(table: Table) -> str:
    name = "standard output" if table.target == "-" else table.target
    return f"{name} keeps {table.rows} row{'s' * (table.rows != 1)}"
