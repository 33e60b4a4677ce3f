"""`emotrack eval faces PICTURES`: how well the readings agree with labels."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from calibration.labelled.labels import LabelError, Labelled, read_folder
from calibration.labelled.report import as_html, as_json, as_text
from calibration.labelled.scores import read_faces, score_faces
from calibration.labelled.votes import read_votes
from calibration.pages import new_figure
from tracker.commands.engine import add_engine, hear, open_tracker
from tracker.commands.outputs import check_outputs
from tracker.options import FACES, Options
from tracker.pipeline import Tracker
from tracker.sinks.base import Lines
from tracker.values import Image

CROP = 100  # px; longest side of what is taken for a face's crop: FER2013 has 48, RAF-DB 100
EPILOG = f"""\
PICTURES is a folder, with --labels naming a table whose columns are file, and expression,
valence or arousal (-1..1); or an .npz with images and FER+ votes. --faces auto (the default)
takes pictures of up to {CROP} px whole, as crops of a face, and finds the face in larger ones;
of several the largest counts. docs/evaluation.md says more.
"""


def main(words: list[str]) -> int:
    parser = _parser()
    given = parser.parse_args(words)
    hear(verbose=given.verbose)
    read = [given.pictures, given.labels] if given.labels else [given.pictures]
    check_outputs(parser, (given.json, given.html), read)
    if given.html:
        new_figure(1, 1)  # without matplotlib it fails now, not after minutes of reading
    labelled = _read(given.pictures, given.labels)
    again = len(labelled.labels) - len({label.name for label in labelled.labels})
    if again:
        rows = "row names" if again == 1 else "rows name"
        line = f"{again} {rows} a picture that a row above names; each counts"
        print(f"emotrack: {given.labels or given.pictures}: {line}", file=sys.stderr)
    named = {name: value for name in ("face", "detector") if (value := getattr(given, name))}
    with ExitStack() as opened:
        readers = _Readers(given, Options(scene=None, **named), opened)
        scores = score_faces(*read_faces(labelled, readers))
    if not scores.answers:
        raise LabelError(f"{given.pictures}: no face found in any of {scores.pictures} pictures")
    page = given.html and as_html(scores, labelled, f"emotrack on {given.pictures.name}")
    for target, text in ((given.json, json.dumps(as_json(scores), indent=1)), (given.html, page)):
        if target:
            with Lines(target) as out:
                out.write(text + "\n")
    if given.json != "-":  # last: whoever reads it may leave, and the files are there
        print(as_text(scores))
    return 0


class _Readers:
    """A Tracker for crops and one for pictures in which a face is to be found, opened on need."""

    def __init__(self, given: argparse.Namespace, options: Options, opened: ExitStack) -> None:
        self._given, self._options, self._opened = given, options, opened
        self._trackers: dict[str, Tracker] = {}

    def __call__(self, image: Image) -> Tracker:
        faces = self._given.faces
        if faces == "auto":
            faces = "whole" if max(image.shape[:2]) <= CROP else "detect"
        if faces not in self._trackers:
            options = replace(self._options, faces=faces)
            tracker, _ = open_tracker(options, self._given.engine, self._given.device)
            self._trackers[faces] = self._opened.enter_context(tracker)
        return self._trackers[faces]


def _read(pictures: Path, table: Path | None) -> Labelled:
    if pictures.suffix == ".npz":
        if table is not None:
            raise LabelError(f"{pictures}: an archive has its labels within; leave out --labels")
        return read_votes(pictures)
    if table is None:
        raise LabelError(f"{pictures}: a folder of pictures needs --labels")
    return read_folder(pictures, table)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emotrack eval faces", description=__doc__, epilog=EPILOG, allow_abbrev=False
    )
    add = parser.add_argument
    add("pictures", type=Path, metavar="PICTURES")
    add("--labels", type=Path, metavar="FILE", help="table of labels")
    add("--faces", choices=("auto", *FACES), default="auto", help="default: auto")
    add("--face", metavar="NAME", help="face network (default: face-s, on a CPU in int8)")
    add("--detector", metavar="NAME", help="builtin (default), yunet or mediapipe")
    add_engine(parser)
    add("--json", metavar="FILE", help="write the scores (- for stdout)")
    add("--html", metavar="FILE", help="write a page; it shows the worst mistakes")
    return parser
