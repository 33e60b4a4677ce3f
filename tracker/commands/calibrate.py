"""`emotrack calibrate raters`: measure what a profile holds."""

from __future__ import annotations

import argparse
from importlib import import_module

KINDS = {"raters": "how each rater scores what we read"}


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="emotrack calibrate", description=__doc__)
    kinds = "; ".join(f"{name}: {what}" for name, what in KINDS.items())
    parser.add_argument("what", choices=KINDS, help=kinds)
    what = parser.parse_args(words[:1]).what
    code: int = import_module(f"tracker.commands.calibrate_{what}").main(words[1:])
    return code
