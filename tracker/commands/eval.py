"""`emotrack eval faces | traces`: agreement of readings with what people said."""

from __future__ import annotations

import argparse
from importlib import import_module

KINDS = {
    "faces": "pictures of faces against their labels",
    "traces": "valence and arousal over time against gold traces",
}


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="emotrack eval", description=__doc__)
    kinds = "; ".join(f"{name}: {what}" for name, what in KINDS.items())
    parser.add_argument("what", choices=KINDS, help=kinds)
    what = parser.parse_args(words[:1]).what
    # Each kind has libraries of its own.
    code: int = import_module(f"tracker.commands.eval_{what}").main(words[1:])
    return code
