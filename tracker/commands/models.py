"""`emotrack models list | pull NAME | path NAME`: what ships, what lies in the folders of
EMOTRACK_MODELS, what can be fetched, where it is."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tracker.models import (
    SHIPPED,
    ModelError,
    cache_folder,
    find_fetched,
    load_card,
    open_shipped,
    own_cards,
    registry,
)

USAGE = "emotrack models list | pull NAME | path NAME"


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="emotrack models", usage=USAGE, description=__doc__)
    parser.add_argument("action", choices=("list", "pull", "path"))
    parser.add_argument("name", nargs="?", help="a name of the list")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    given = parser.parse_args(words)
    if given.action == "list":
        _list()
        return 0
    if given.name is None:
        parser.error(f"{given.action} needs a name")
    if given.action == "path":
        print(_path(given.name))
        return 0
    entry = registry().get(given.name)
    if entry is None:
        raise ModelError(f"{given.name} cannot be fetched; known: {', '.join(registry())}")
    from tracker.downloads import pull

    print(pull(entry, cache_folder(), quiet=given.quiet or not sys.stderr.isatty()))
    return 0


def _list() -> None:
    rows = [("name", "role", "MB", "licence", "where")]
    rows += [_of_card(path, "shipped") for path in sorted(SHIPPED.glob("*.json"))]
    rows += [_of_card(path, str(path.parent)) for path in own_cards()]
    for name, entry in registry().items():
        rows.append((name, entry.role, f"{entry.bytes / 1e6:.1f}", entry.licence, _where(name)))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def _of_card(path: Path, where: str) -> tuple[str, str, str, str, str]:
    size = path.with_suffix(".onnx").stat().st_size
    try:
        card = load_card(path)
    except ModelError as wrong:
        return path.stem, "-", f"{size / 1e6:.1f}", "-", str(wrong)
    return path.stem, card["role"], f"{size / 1e6:.1f}", card["licence"], where


def _where(name: str) -> str:
    try:
        find_fetched(name)
    except ModelError as wrong:
        return "not fetched" if "pull" in str(wrong) else "damaged"
    return "fetched"


def _path(name: str) -> Path:
    return find_fetched(name) if name in registry() else open_shipped(name).path
