"""`emotrack calibrate WHAT ...`: makes profiles. A file for each WHAT."""

from __future__ import annotations

import argparse
from importlib import import_module

WHAT = {
    "neutral": "tracker.commands.calibrate_neutral",
    "raters": "tracker.commands.calibrate_raters",
}


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="emotrack calibrate", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("what", choices=WHAT, help="each has its own --help")
    given = parser.parse_args(words[:1])
    code: int = import_module(WHAT[given.what]).main(words[1:])
    return code
