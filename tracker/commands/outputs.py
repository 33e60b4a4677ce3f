"""The files that a command is about to write, looked at before its work begins."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from tracker.sinks.base import SinkError


def check_outputs(
    parser: argparse.ArgumentParser, targets: Iterable[str | None], read: Iterable[Path]
) -> None:
    """Ends with the parser's error if a target is in `read`, or named twice.

    targets: None is left, "-" is standard output. Raises SinkError naming one that has no folder,
    or is one.
    """
    named = [target for target in targets if target is not None]
    taken, seen = {path.resolve() for path in read}, set()
    for target in named:
        path = Path(target).resolve()
        if path in seen:
            parser.error(f"{target} is named for two outputs")
        seen.add(path)
        if target == "-":
            continue
        if path in taken:
            parser.error(f"{target} is an input; it would be overwritten")
        if path.is_dir():
            raise SinkError(f"{target}: cannot write (Is a directory)")
        if not path.parent.is_dir():
            raise SinkError(f"{target}: cannot write (No such file or directory)")
