"""`out.meta.json` beside a table: what it was made from, with what, and how it went."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from tracker.latency import Latencies
from tracker.models import hash_file
from tracker.sinks.base import ODD, SinkError, write_whole
from tracker.sinks.column import Column
from tracker.sources import Source
from tracker.values import Step

FORMAT = 1
PTS_DECIMALS = 6  # as the table's
OPEN = ("/dev", "/dev/fd", "/proc/self/fd")  # where a process finds what it was given open


class Table(Protocol):
    """The table that is described."""

    rows: int
    header: Sequence[Column]


class Sidecar:
    """Written when the first frame is there, and again at the end, whatever ended the run.

    about: facts known from the start (version, command line, options, models).
    sources: every input opened so far; their reports are read at the end.
    unfilled: column -> why no row of this run can fill it.
    """

    def __init__(
        self,
        path: Path,
        table: Table,
        about: Mapping[str, Any],
        sources: Sequence[Source],
        unfilled: Mapping[str, str],
    ) -> None:
        self._path = sidecar_path(path)
        self._table = table
        self._about = about
        self._sources = sources
        self._unfilled = unfilled
        self._began = time.monotonic()
        self._created = datetime.now(UTC).isoformat(timespec="seconds")
        self._frames = 0
        self._first: float | None = None  # s
        self._last: float | None = None  # s
        self._latencies = Latencies()

    def __enter__(self) -> Sidecar:
        self._put(finished=False, inputs=[])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and not self._frames:  # its table is taken away, too
            self._path.unlink(missing_ok=True)
            return
        inputs = [_described(about) for source in self._sources for about in source.report.about]
        left = any(source.report.left for source in self._sources)
        try:
            self._put(finished=kind is None and not left, inputs=inputs)
        except SinkError:
            if not isinstance(error, SinkError):  # else the table's own is what is to be told
                raise

    def write(self, step: Step) -> None:
        self._frames += 1
        self._last = round(step.result.pts, PTS_DECIMALS)
        self._latencies.add(step.result.latency)
        if self._first is None:
            self._first = self._last

    def _put(self, *, finished: bool, inputs: list[dict[str, Any]]) -> None:
        run = {
            "frames": self._frames,
            "dropped": sum(source.report.dropped for source in self._sources),
            "errors": sum(source.report.errors for source in self._sources),
            "sound_errors": sum(source.report.sound_errors for source in self._sources),
            "notes": [note for source in self._sources for note in source.report.notes],
            "rows": self._table.rows,
            "first_pts": self._first,
            "last_pts": self._last,
            "seconds": round(time.monotonic() - self._began, 3),
            "finished": finished,
        }
        if any(source.live for source in self._sources):
            run |= {
                "latency_median": self._latencies.below(0.5),
                "latency_p95": self._latencies.below(0.95),
                "latency_max": round(self._latencies.largest, 4),
            }
        columns = [self._described(column) for column in self._table.header]
        whole = {"format": FORMAT, "created": self._created, **self._about}
        write_json(self._path, {**whole, "inputs": inputs, "columns": columns, "run": run})

    def _described(self, column: Column) -> dict[str, Any]:
        said = {"name": column.name, "unit": column.unit, "decimals": column.decimals}
        why = self._unfilled.get(column.name)
        return said if why is None else said | {"empty": why}


def beside(target: str) -> bool:
    """Whether files may stand beside this output: not beside standard output, a device, a pipe,
    nor beside /dev/stdout, whatever that leads to."""
    if target == "-" or str(Path(target).parent) in OPEN:
        return False
    return os.path.isfile(target) or not os.path.exists(target)


def sidecar_path(table: Path) -> Path:
    """film.csv -> film.meta.json"""
    return table.with_suffix(".meta.json")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes the whole file or none of it. Raises SinkError naming it."""
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_whole(path, text.encode("utf-8", ODD))


def _described(about: Mapping[str, Any]) -> dict[str, Any]:
    """Base names only: where a file lay says something about its owner."""
    if "path" not in about:  # a camera
        return dict(about)
    path: Path = about["path"]
    rest = {key: value for key, value in about.items() if key != "path"}
    try:
        return rest | {"bytes": path.stat().st_size, "sha256": hash_file(path)}
    except OSError:  # removed while it was read: what was read still counts
        return rest | {"bytes": None, "sha256": None}
