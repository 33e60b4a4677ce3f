"""`emotrack eval faces PICTURES`: how well the readings agree with labels."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from calibration.labelled.labels import LabelError, read_labels
from calibration.labelled.report import as_html, as_json, as_text
from calibration.labelled.scores import read_faces, score_faces
from tracker.api import FACES, Options, build
from tracker.sinks.base import Lines

EPILOG = """\
PICTURES is a folder, with --labels naming a table whose columns are file, and expression
and/or valence and arousal (-1..1); or an .npz with images and FER+ votes.
"""


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="emotrack eval faces", description=__doc__, epilog=EPILOG, allow_abbrev=False
    )
    parser.add_argument("pictures", type=Path, metavar="PICTURES")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="table of labels")
    parser.add_argument("--faces", choices=FACES, default="whole", help="default: whole")
    parser.add_argument("--face", metavar="NAME", help="face network (default: face-s)")
    parser.add_argument("--json", metavar="FILE", help="write the scores (- for stdout)")
    parser.add_argument("--html", metavar="FILE", help="write a page; it shows the worst mistakes")
    given = parser.parse_args(words)
    try:
        labelled = read_labels(given.pictures, given.labels)
        named = {"face": given.face} if given.face else {}
        options = Options(faces=given.faces, scene=None, **named)
        with build(options) as tracker:
            scores = score_faces(*read_faces(labelled, tracker))
        page = given.html and as_html(scores, labelled, f"emotrack on {given.pictures.name}")
    except LabelError as wrong:
        print(f"emotrack: {wrong}", file=sys.stderr)
        return 2
    if given.json != "-":
        print(as_text(scores))
    for target, text in ((given.json, json.dumps(as_json(scores), indent=1)), (given.html, page)):
        if target:
            with Lines(target) as out:
                out.write(text + "\n")
    return 0
