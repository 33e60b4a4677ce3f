"""The files that a command is about to write, looked at before its work begins."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

from tracker.sinks.base import SinkError


def identity(path: str | Path) -> object:
    """What all names of one file share: links to it, and its letters in another case where the
    system makes no difference."""
    try:
        about = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    return about.st_dev, about.st_ino


def check_outputs(
    parser: argparse.ArgumentParser, targets: Iterable[str | None], read: Iterable[Path]
) -> None:
    """Ends with the parser's error if a target is in `read`, or named twice.

    targets: None is left, "-" is standard output. Raises SinkError naming one that has no folder,
    or is one.
    """
    named = [target for target in targets if target is not None]
    taken, seen = {identity(path) for path in read}, set()
    for target in named:
        same = identity(target)
        if same in seen:
            parser.error(f"{target} is named for two outputs")
        seen.add(same)
        if target == "-":
            continue
        if same in taken:
            parser.error(f"{target} is an input; it would be overwritten")
        if os.path.isdir(target):
            raise SinkError(f"{target}: cannot write (Is a directory)")
        if not os.path.isdir(os.path.dirname(os.path.abspath(target))):
            raise SinkError(f"{target}: cannot write (No such file or directory)")
