"""Fetching third-party model files: whole, checked, or not at all."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tracker.models import Fetched, ModelError, check_file

CHUNK = 1 << 16  # bytes
PATIENCE = 30.0  # s without a byte before we give up


def pull(entry: Fetched, folder: Path, *, quiet: bool = False) -> Path:
    """Downloads `entry` into `folder` and returns the file.

    The name appears only after its sha256 is right. Raises ModelError naming the model.
    """
    target = folder / entry.file
    partial = folder / f".{entry.file}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _fetch(entry, partial, quiet)
            check_file(partial, entry.sha256)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)
    except (urllib.error.URLError, HTTPException, OSError) as wrong:
        reason = getattr(wrong, "reason", None) or wrong
        raise ModelError(f"{entry.name}: cannot fetch {entry.url} ({reason})") from wrong
    except ModelError as wrong:
        raise ModelError(f"{entry.name}: refused what {entry.url} sent: {wrong}") from wrong
    return target


def _fetch(entry: Fetched, target: Path, quiet: bool) -> None:
    with (
        urllib.request.urlopen(entry.url, timeout=PATIENCE) as answer,
        target.open("wb") as file,
        tqdm(
            total=entry.bytes, unit="B", unit_scale=True, desc=entry.name, disable=quiet or None
        ) as bar,
    ):
        _copy(answer, file, entry.bytes, bar)


def _copy(answer: Any, file: Any, most: int, bar: Any) -> None:
    """Stops at once when more comes than was announced: it cannot be the right file."""
    size = 0
    while size <= most and (chunk := answer.read(CHUNK)):
        file.write(chunk)
        size += len(chunk)
        bar.update(len(chunk))
