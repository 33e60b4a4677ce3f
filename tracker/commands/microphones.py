"""`emotrack microphones`: what `--microphone` can be told."""

from __future__ import annotations

import argparse

from tracker.sources import SourceError
from tracker.sources.microphone import microphones

DONE = 0


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="emotrack microphones",
        description="Microphones of this machine: number, name, samples per second; * marks the "
        "system's choice. --microphone takes a number or a part of a name.",
        allow_abbrev=False,
    )
    parser.parse_args(words)
    found = microphones()
    if not found:
        raise SourceError("there is no microphone")
    for one in found:
        print(f"{one.index}{'*' if one.chosen else ' '} {one.name}  {one.rate:g}/s")
    return DONE
