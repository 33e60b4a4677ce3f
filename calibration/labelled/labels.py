"""Labelled face pictures from a folder with a table, or from an archive of FER+ votes."""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracker.sources import SourceError
from tracker.sources.photos import read_photo
from tracker.values import EXPRESSIONS, Image

FIRST = 2  # the line of the first row, below the header
NAMES = {  # other sets' words for the eight
    "angry": "anger",
    "contemptuous": "contempt",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "happy": "happiness",
    "joy": "happiness",
    "sad": "sadness",
    "surprised": "surprise",
} | {name: name for name in EXPRESSIONS}


class LabelError(ValueError):
    """A label file that cannot be used. The message names the file and the row."""


@dataclass(frozen=True, slots=True)
class Label:
    """What people said of one picture. None: nobody was asked."""

    row: int  # position in the set, from 0
    name: str
    expression: int | None  # index into EXPRESSIONS
    valence: float | None  # -1..1
    arousal: float | None  # -1..1


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labels, and the picture of each."""

    labels: list[Label]
    folder: Path | None  # where the pictures are files
    stack: Image | None  # (n, H, W), where they are one array

    def picture(self, label: Label) -> Image:
        """RGB. Raises LabelError naming a picture that cannot be read."""
        if self.stack is not None:
            return np.repeat(self.stack[label.row][:, :, None], 3, axis=2)
        assert self.folder is not None, "labels have a folder or a stack"
        try:
            return read_photo(self.folder / label.name)
        except SourceError as wrong:
            raise LabelError(f"{self.folder / label.name}: {wrong}") from wrong


def read_labels(pictures: Path, table: Path | None) -> Labelled:
    """A folder with `table` (file, expression and/or valence and arousal), or a FER+ .npz.

    Raises LabelError naming file and row.
    """
    if pictures.suffix == ".npz":
        return _votes(pictures)
    if table is None:
        raise LabelError(f"{pictures}: a folder of pictures needs --labels")
    if not pictures.is_dir():
        raise LabelError(f"{pictures}: no such folder")
    labels = [_label(table.name, i, cells) for i, cells in enumerate(_rows(table))]
    if not labels:
        raise LabelError(f"{table.name}: no rows")
    for label in labels:
        if not (pictures / label.name).is_file():
            row = label.row + FIRST
            raise LabelError(f"{table.name}, row {row}: no picture {label.name} in {pictures}")
    return Labelled(labels, pictures, None)


def _rows(table: Path) -> list[dict[str, str]]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = set(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        raise LabelError(f"{table}: not a readable table ({wrong})") from wrong
    if "file" not in columns:
        raise LabelError(f"{table.name}: no column 'file', only {', '.join(sorted(columns))}")
    if "expression" not in columns and not {"valence", "arousal"} <= columns:
        raise LabelError(f"{table.name}: neither 'expression' nor 'valence' and 'arousal'")
    return rows


def _label(table: str, i: int, cells: dict[str, str]) -> Label:
    row = i + FIRST
    word = (cells.get("expression") or "").strip().lower()
    if word and word not in NAMES:
        known = ", ".join(EXPRESSIONS)
        raise LabelError(f"{table}, row {row}: unknown expression {word!r}; known: {known}")
    return Label(
        i,
        cells["file"],
        EXPRESSIONS.index(NAMES[word]) if word else None,
        _affect(table, row, "valence", cells.get("valence")),
        _affect(table, row, "arousal", cells.get("arousal")),
    )


def _affect(table: str, row: int, name: str, cell: str | None) -> float | None:
    if cell is None or not cell.strip():
        return None
    try:
        value = float(cell)
    except ValueError:
        raise LabelError(f"{table}, row {row}: {name} is {cell!r}, not a number") from None
    if not -1 <= value <= 1:
        raise LabelError(f"{table}, row {row}: {name} is {value:g}, outside -1..1")
    return value


def _votes(path: Path) -> Labelled:
    """Pictures whose ten votes have a majority for one of the eight (Barsoum et al. 2016).

    "Unknown" and "no face" count against it; near-duplicates of training pictures are left out.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            images, votes = file["images"], file["votes"].astype(int)
            leaks = file.get("leaks_from_train")
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as wrong:
        raise LabelError(f"{path.name}: not an archive of FER+ votes ({wrong})") from wrong
    counted = np.where(votes == 1, 0, votes)  # a lone vote is noise
    sure = 2 * counted[:, :8].max(1) > counted.sum(1)
    if leaks is not None:
        sure &= ~leaks
    rows = np.flatnonzero(sure)
    labels = [
        Label(k, str(i), int(counted[i, :8].argmax()), None, None) for k, i in enumerate(rows)
    ]
    return Labelled(labels, None, images[rows])
