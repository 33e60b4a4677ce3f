"""`emotrack eval traces PREDICTIONS GOLD`: how well valence and arousal over time agree."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from calibration.traces.files import pair_files, read_traces
from calibration.traces.report import as_html, as_json, as_text
from calibration.traces.scores import score_pair, score_traces
from calibration.traces.series import AXES, Sampling
from tracker.commands.outputs import check_outputs
from tracker.sinks.base import Lines

BLOCK = 30.0  # s; so long does a film's emotion resemble itself (docs/evaluation.md)
EPILOG = """\
Two tables, or two folders whose tables have equal names: emotrack's own, OpenFace-shaped ones
with added valence and arousal, py-feat's, or any with a column of times. They are brought
together by time, never by row number. docs/evaluation.md says what is computed.
"""


def main(words: list[str]) -> int:
    parser = _parser()
    given = parser.parse_args(words)
    columns = given.columns.split(",")
    if len(columns) != 2:
        parser.error(f"--columns is {given.columns!r}, expected two names: VALENCE,AROUSAL")
    if not given.block > 0:
        parser.error(f"--block is {given.block:g} s, expected more than 0")
    try:
        sampling = Sampling(given.rate, given.hold)
    except ValueError as wrong:
        parser.error(str(wrong))
    pairs, notes = pair_files(given.predictions, given.gold)
    read = [path for _, said, gold in pairs for path in (said, gold)]
    check_outputs(parser, (given.json, given.html), read)
    files = [
        score_pair(
            name,
            read_traces(said, columns=columns, face=given.face),
            read_traces(gold),
            sampling,
            given.block,
        )
        for name, said, gold in pairs
    ]
    scores = score_traces(files, sampling, given.block, notes)
    title = f"{given.predictions.name} against {given.gold.name}"
    page = given.html and as_html(scores, title)
    for target, text in ((given.json, json.dumps(as_json(scores), indent=1)), (given.html, page)):
        if target:
            with Lines(target) as out:
                out.write(text + "\n")
    if given.json != "-":  # last: whoever reads it may leave, and the files are there
        print(as_text(scores))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emotrack eval traces", description=__doc__, epilog=EPILOG, allow_abbrev=False
    )
    add, sampling = parser.add_argument, Sampling()
    add("predictions", type=Path, metavar="PREDICTIONS", help="table, or folder of tables")
    add("gold", type=Path, metavar="GOLD", help="table, or folder of tables")
    add("--rate", type=float, default=sampling.rate, metavar="HZ", help="default: %(default)g")
    add(
        "--hold",
        type=float,
        default=sampling.hold,
        metavar="S",
        help="believe a value for so long after its time (default: %(default)g)",
    )
    add(
        "--block",
        type=float,
        default=BLOCK,
        metavar="S",
        help="length of the stretches that intervals are drawn from (default: %(default)g)",
    )
    add("--face", metavar="N", help="of the predictions (default: the one with most rows)")
    add(
        "--columns",
        default=",".join(AXES),
        metavar="V,A",
        help="of the predictions, say valence_raw,arousal_raw (default: %(default)s)",
    )
    add("--json", metavar="FILE", help="write the scores (- for stdout)")
    add("--html", metavar="FILE", help="write a page with the traces drawn over each other")
    return parser
