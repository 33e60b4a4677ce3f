"""Labelled face pictures: a folder with a table, or an archive of FER+ votes (`votes`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibration.traces.tables import MISSING, Row, Table, open_table
from tracker.sources import SourceError
from tracker.sources.photos import read_photo
from tracker.values import EXPRESSIONS, Image

IMAGE = ("image", "imagename", "imagefile", "imagepath", "img", "picture", "photo")
COLUMNS = {  # what is read -> what sets call it, in lower case without spaces, _ and -
    "file": ("file", "filename", "filepath", "subdirectoryfilepath", "path", *IMAGE),
    "expression": ("expression", "facialexpression", "emotion", "label", "class", "category"),
    "valence": ("valence",),
    "arousal": ("arousal",),
}
NAMES = {  # other sets' words for the eight
    "angry": "anger",
    "contemptuous": "contempt",
    "scorn": "contempt",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "scared": "fear",
    "happy": "happiness",
    "joy": "happiness",
    "joyful": "happiness",
    "neutrality": "neutral",
    "sad": "sadness",
    "surprised": "surprise",
} | {name: name for name in EXPRESSIONS}


class LabelError(RuntimeError):
    """Labels or pictures that cannot be used. The message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Label:
    """What people said of one picture. None: nobody was asked."""

    line: int  # of the table, the header being 1; of an archive, its row, from 0
    name: str
    expression: int | None  # index into EXPRESSIONS
    valence: float | None  # -1..1
    arousal: float | None  # -1..1
    clear: bool = False  # more than half of the voters named this expression (`votes`)


@dataclass(frozen=True, slots=True)
class Folder:
    """Pictures that are files."""

    labels: list[Label]
    path: Path
    table: Path

    def picture(self, label: Label) -> Image:
        """RGB. Raises LabelError naming the table's line, and a picture that cannot be read."""
        try:
            return read_photo(self.path / label.name)
        except SourceError as wrong:
            where = f"{self.table}, line {label.line}"
            raise LabelError(f"{where}: {self.path / label.name}: {wrong}") from wrong


@dataclass(frozen=True, slots=True)
class Stack:
    """Pictures that are one array, in the order of their labels."""

    labels: list[Label]
    images: dict[int, Image]  # (H, W), by the line of their label

    def picture(self, label: Label) -> Image:
        """RGB."""
        return np.repeat(self.images[label.line][:, :, None], 3, axis=2)


Labelled = Folder | Stack


def read_folder(pictures: Path, table: Path) -> Folder:
    """A folder with a table that has a column of files, and expression, valence or arousal.

    Raises LabelError or TraceError naming file and line.
    """
    if not pictures.is_dir():
        raise LabelError(f"{pictures}: no such folder")
    with open_table(table) as rows:
        labels = list(_labels(rows, pictures))
    if not labels:
        raise LabelError(f"{table}: no rows")
    if all(label.expression is label.valence is label.arousal is None for label in labels):
        raise LabelError(f"{table}: no label in any of its {len(labels)} rows")
    return Folder(labels, pictures, table)


def _labels(table: Table, pictures: Path) -> Iterator[Label]:
    columns = {what: _column(table, names) for what, names in COLUMNS.items()}
    file = columns.pop("file")
    if file is None:
        raise LabelError(f"{table.name}: no column 'file', only {', '.join(table.header)}")
    if not any(column is not None for column in columns.values()):
        raise LabelError(f"{table.name}: none of the columns {', '.join(columns)}")
    for row in table.rows():
        name = row.cells[file].strip()
        if not (pictures / name).is_file():
            name = name.replace("\\", "/")  # a table made on Windows
        if not (pictures / name).is_file():
            raise LabelError(f"{table.name}, line {row.line}: no picture {name!r} in {pictures}")
        yield Label(
            row.line,
            name,
            _expression(table, row, columns["expression"]),
            _affect(table, row, columns["valence"]),
            _affect(table, row, columns["arousal"]),
        )


def _column(table: Table, names: tuple[str, ...]) -> int | None:
    plain = ["".join(c for c in name.lower() if c not in " _-") for name in table.header]
    return next((plain.index(name) for name in names if name in plain), None)


def _expression(table: Table, row: Row, column: int | None) -> int | None:
    word = "" if column is None else row.cells[column].strip().lower()
    if column is None or word in MISSING:
        return None
    if word not in NAMES:
        raise table.wrong(row, column, f"an unknown expression; known: {', '.join(EXPRESSIONS)}")
    return EXPRESSIONS.index(NAMES[word])


def _affect(table: Table, row: Row, column: int | None) -> float | None:
    value = None if column is None else table.number(row, column)
    if column is not None and value is not None and not -1 <= value <= 1:
        raise table.wrong(row, column, "outside -1..1")
    return value
