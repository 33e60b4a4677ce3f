"""`emotrack smooth READINGS --out FILE`: the causal memory over any table of readings."""

from __future__ import annotations

import argparse
import csv
import io
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from calibration.traces.files import Layout, face_name, find_layout, repeated, seen_nobody
from calibration.traces.series import AXES
from calibration.traces.tables import MISSING, Row, Table, TraceError, open_table
from engines import Engine
from tracker.commands.outputs import check_outputs
from tracker.options import Options
from tracker.sinks.base import Lines
from tracker.smoothing import LstmSmoother, Steady

CERTAIN = 1.0  # confidence of a table that states none
DECIMALS = 4
RAW = ("valence_raw", "arousal_raw")
SPREAD = ("valence_spread", "arousal_spread")
EPILOG = """\
READINGS has a header and columns of time (s), valence and arousal (-1..1), and where it has them
face_id, confidence (0..1) and success. All columns are kept. The readings move to valence_raw and
arousal_raw, the memory's word takes their place, and valence_spread and arousal_spread say how far
off it expects to be (standard deviation). If the table has valence_raw and arousal_raw already,
those are what is smoothed. A row without a reading stays without one: the last value is never
repeated. What comes after a gap is less sure the longer the gap was; after --forget-after seconds,
and where time steps back, a face starts afresh.
"""


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="emotrack smooth", description=__doc__, epilog=EPILOG, allow_abbrev=False
    )
    add = parser.add_argument
    add("readings", type=Path, metavar="READINGS", help="table: CSV, or with semicolons or tabs")
    add("--out", required=True, metavar="FILE", help="table to write (- for stdout)")
    add("--forget-after", type=float, metavar="S", help="seconds unseen (default: 2)")
    given = parser.parse_args(words)
    check_outputs(parser, (given.out,), (given.readings,))
    try:
        chosen = {} if given.forget_after is None else {"forget_after": given.forget_after}
        options = Options(**chosen)
    except ValueError as wrong:
        parser.error(str(wrong))
    with open_table(given.readings) as table:
        steadied = _Steadied(table)
        engine = _open_memory(options)
        try:
            with Lines(given.out) as out:
                try:
                    for cells in steadied.rows(engine, options.forget_after):
                        out.write(_line(cells, table.delimiter))
                except BaseException:  # Ctrl-C too
                    out.discard()  # half a table would be taken for a whole one
                    raise
        finally:
            engine.close()
    if steadied.back:
        print(f"emotrack: {table.name}: {_stepped_back(steadied.back)}", file=sys.stderr)
    if steadied.again:
        print(f"emotrack: {table.name}: {repeated(steadied.again, '')}", file=sys.stderr)
    if steadied.readings > 1 and not steadied.followed:
        print(
            f"emotrack: {table.name}: no reading follows another of its face within "
            f"{options.forget_after:g} s, so none was steadied (are the times in seconds?)",
            file=sys.stderr,
        )
    return 0


class _Steadied:
    """A table's rows, with the memory's values in them. Raises TraceError before the first row."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._layout = _checked(table)
        self._confidence = table.column("confidence", "FaceScore")
        raw = [table.column(name) for name in RAW]
        plain = [self._layout.axes[axis] for axis in AXES]
        self._read = [p if r is None else r for r, p in zip(raw, plain, strict=True)]
        self._header = list(table.written)
        self._raw = [self._place(name) for name in RAW]
        self._plain = plain
        self._spread = [self._place(name) for name in SPREAD]
        self.readings = 0
        self.followed = 0  # readings that had one to be steadied with
        self.back: list[int] = []  # lines of readings from before the one above, of the same face
        self.again = 0  # readings of a face without a name, with the time of the one before

    def rows(self, engine: Engine, forget_after: float) -> Iterator[list[str]]:
        """The header, then row by row. Keeps a memory for each face, and nothing of the rows.

        A face of each film has a memory to itself: its values are those of its rows alone, even
        where the clocks of faces or films run apart.
        """
        yield self._header
        memories: dict[tuple[str, str], LstmSmoother] = {}
        last: dict[tuple[str, str], float] = {}
        for row in self._table.rows():
            film = "" if self._layout.source is None else row.cells[self._layout.source]
            face = film, face_name(self._table, row, self._layout.face)
            if face not in memories:
                memories[face] = LstmSmoother(engine, forget_after=forget_after)
            pts = self._table.seconds(row, self._layout.time)
            steady = self._steady(row, pts, memories[face])
            if steady is not None:
                self.readings += 1
                self.followed += 0 <= pts - last.get(face, -math.inf) <= forget_after
                if pts < last.get(face, -math.inf):
                    self.back.append(row.line)
                self.again += not face[1] and pts == last.get(face)
                last[face] = pts
            yield self._cells(row, steady)

    def _steady(self, row: Row, pts: float, memory: LstmSmoother) -> Steady | None:
        values = [self._within(row, column, -1, 1) for column in self._read]
        if None in values or seen_nobody(self._table, row, self._layout.success):
            return None
        sure = self._within(row, self._confidence, 0, 1) if self._confidence is not None else None
        reading = np.array([[*values, CERTAIN if sure is None else sure]], np.float32)
        return memory.steady(pts, [0], reading)[0]

    def _cells(self, row: Row, steady: Steady | None) -> list[str]:
        cells = row.cells + [""] * (len(self._header) - len(row.cells))
        for raw, read in zip(self._raw, self._read, strict=True):
            text = row.cells[read]
            cells[raw] = "" if text.strip().lower() in MISSING else text
        said: tuple[float | None, ...] = (None,) * 4
        if steady is not None:
            affect, spread = steady.affect, steady.spread
            said = affect.valence, affect.arousal, spread.valence, spread.arousal
        for column, value in zip([*self._plain, *self._spread], said, strict=True):
            cells[column] = "" if value is None else f"{round(value, DECIMALS) + 0.0:.{DECIMALS}f}"
        return cells

    def _within(self, row: Row, column: int, low: float, high: float) -> float | None:
        if self._table.delimiter != "," and "," in row.cells[column]:
            raise self._table.wrong(row, column, "and decimal commas cannot be kept as they are")
        value = self._table.number(row, column)
        if value is not None and not low <= value <= high:
            raise self._table.wrong(row, column, f"outside {low:g}..{high:g}")
        return value

    def _place(self, name: str) -> int:
        """Where a column of ours stands: where the table has it, or behind its last one."""
        found = self._table.column(name)
        if found is None:
            self._header.append(name)
            found = len(self._header) - 1
        return found


def _stepped_back(lines: list[int]) -> str:
    more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
    return (
        f"time steps back on line {lines[0]}{more}; there a face starts afresh "
        "(is the table sorted by time, and has each face a face_id?)"
    )


def _checked(table: Table) -> Layout:
    layout = find_layout(table)
    if layout.frame is not None or table.time_column() is None:
        raise TraceError(f"{table.name}, line 1: no column 'timestamp', in seconds")
    for axis in AXES:
        if axis not in layout.axes:
            raise TraceError(f"{table.name}, line 1: no column {axis!r}; both axes are needed")
    return layout


def _open_memory(options: Options) -> Engine:
    import engines
    from tracker.models import open_shipped

    model = open_shipped(options.memory)
    return engines.load(model.path, options.backend, device=options.device, max_batch=1)


def _line(cells: list[str], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerow(cells)
    return out.getvalue()
