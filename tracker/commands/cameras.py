"""`emotrack cameras`: what `--webcam` can be told."""

from __future__ import annotations

import argparse

from tracker.sources import SourceError
from tracker.sources.camera_names import cameras

DONE = 0


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="emotrack cameras",
        description="Cameras of this machine: number, name, and (on Linux) modes, as pixel "
        "format, size and frames per second. --webcam takes a number or a part of a name.",
        allow_abbrev=False,
    )
    parser.parse_args(words)
    found = cameras()
    if not found:
        raise SourceError("there is no camera")
    for camera in found:
        print(f"{camera.index}  {camera.name}")
        for mode in camera.modes:
            print(f"   {mode}")
    return DONE
