"""`emotrack calibrate raters READINGS RATINGS...`: each rater's delay, scale and weight."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from calibration.raters.fit import Gold, fit_raters
from calibration.raters.rated import as_raters
from calibration.raters.ratings import read_ratings
from calibration.raters.report import as_json, as_text
from calibration.traces.files import read_traces
from calibration.traces.series import Sampling
from calibration.traces.tables import TraceError, open_table
from tracker.commands.outputs import check_outputs
from tracker.profile import Networks
from tracker.sinks.base import Lines
from tracker.sinks.sidecar import sidecar_path

EPILOG = """\
READINGS is a table of one film, RATINGS are what people said of it: a table with columns rater,
timestamp, valence, arousal; ELAN's tab-delimited export; CARMA; RECOLA (a column for each
rater); LIRIS-ACCEDE; or a table for each rater. docs/evaluation.md describes each.
"""


def main(words: list[str]) -> int:
    parser = _parser()
    given = parser.parse_args(words)
    try:
        sampling = Sampling(given.rate, given.hold)
    except ValueError as wrong:
        parser.error(str(wrong))
    targets = given.out, given.gold, given.as_raters
    check_outputs(parser, targets, (given.readings, *given.ratings))
    readings = read_traces(given.readings, face=given.face)
    ratings, left_out = read_ratings(given.ratings)
    found = fit_raters(readings.traces, ratings, sampling)
    networks, notes = _networks(given.readings), [*readings.notes, *left_out, *found.notes]
    if networks is None:
        notes.append(f"{given.readings}: no sidecar, so no run will know whose scale this is")
    for note in notes:
        print(f"emotrack: {note}", file=sys.stderr)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    with Lines(given.out) as out:
        out.write(json.dumps(as_json(found, networks, created), indent=1) + "\n")
    if given.gold:
        _write(given.gold, _gold_rows(found.gold))
    if given.as_raters:
        with open_table(given.readings) as table:
            _write(given.as_raters, as_raters(table, found.raters, sampling.hold), table.delimiter)
    if "-" not in targets:
        print(as_text(found))
    return 0


def _gold_rows(gold: Gold) -> Iterable[list[str]]:
    """Moments that nobody rated have no row."""
    yield ["timestamp", *gold.values]
    for i, pts in enumerate(gold.clock):
        values = [float(series[i]) for series in gold.values.values()]
        cells = ["" if value != value else f"{value + 0.0:.4f}" for value in values]
        if any(cells):
            yield [f"{pts:.6f}", *cells]


def _write(target: str, rows: Iterable[list[str]], delimiter: str = ",") -> None:
    with Lines(target) as out:
        for cells in rows:
            text = io.StringIO()
            csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(cells)
            out.write(text.getvalue())


def _networks(readings: Path) -> Networks | None:
    """What made the readings, from the table's sidecar; None for a table without one."""
    path = sidecar_path(readings)
    if not path.is_file():
        return None
    try:
        models = json.loads(path.read_text("utf-8"))["models"]
        sums = {model["role"]: str(model["origin"]) for model in models}
        return Networks(sums["face"], sums["memory"])
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise TraceError(f"{path}: not a sidecar of ours ({wrong})") from wrong


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emotrack calibrate raters", description=__doc__, epilog=EPILOG, allow_abbrev=False
    )
    add, sampling = parser.add_argument, Sampling()
    add("readings", type=Path, metavar="READINGS", help="table with timestamp, valence, arousal")
    add("ratings", type=Path, nargs="+", metavar="RATINGS", help="files of ratings")
    add("--out", required=True, metavar="FILE", help="raters' part of a profile, JSON")
    add("--gold", metavar="FILE", help="write the evaluator-weighted trace of all raters")
    add("--as-raters", metavar="FILE", help="write the readings as each rater would score them")
    add("--face", metavar="N", help="of the readings (default: the one with most rows)")
    add("--rate", type=float, default=sampling.rate, metavar="HZ", help="default: %(default)g")
    add(
        "--hold",
        type=float,
        default=sampling.hold,
        metavar="S",
        help="believe a value for so long after its time (default: %(default)g)",
    )
    return parser
