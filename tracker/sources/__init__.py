"""Where frames come from. `open_source` turns what the user typed into something to iterate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tracker.sources.base import ALL, MOVING, PHOTOS, Report, Source, SourceError, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ALL", "Report", "Source", "SourceError", "Span", "open_source"]


def open_source(name: str | Path, span: Span = ALL, *, alone: bool = True) -> Source:
    """A film, a photo or a folder of photos.

    alone: whether this is the run's only input; pictures are then named within their folder.
    Raises SourceError naming the input if there is nothing of that name or nothing in it.
    """
    path = Path(name)
    if str(name) == "-":
        raise SourceError("-: reading from standard input is not supported; name a file")
    if not path.exists():
        raise SourceError(f"{name}: no such file or folder")
    if path.is_dir():
        from tracker.sources.photos import Photos

        kinds = PHOTOS | MOVING
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in kinds and p.is_file())
        if not found:
            raise SourceError(f"{name}: no pictures in this folder")
        return Photos(_named(found, path, alone))
    if path.suffix.lower() in PHOTOS:
        from tracker.sources.photos import Photos

        return Photos([(str(name), path)])
    from tracker.sources.film import Film

    return Film(str(name), path, span)


def _named(found: Iterable[Path], folder: Path, alone: bool) -> list[tuple[str, Path]]:
    return [((p.relative_to(folder) if alone else p).as_posix(), p) for p in found]
