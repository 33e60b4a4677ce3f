"""EMOTIC's annotations as they are handed out, one `Person` for each annotated one.

    DATA/emotic/<folder>/<filename>       the pictures; folder is e.g. mscoco/images
    DATA/Annotations/Annotations.mat      variables train, val, test: struct arrays of pictures

A picture has `filename`, `folder`, `image_size` (n_col, n_row), `original_database`, `person`; a
person `body_bbox` [x1 y1 x2 y2] (px), `annotations_categories` (`categories`: a cell of words),
`annotations_continuous` (`valence`, `arousal`, `dominance`: 1..10), `gender`, `age`. In train one
annotator saw each person. In val and test several did: those two are arrays, and what they come
to together is in `combined_categories` (a cell of words) and `combined_continuous` (a struct).
Field names follow the authors' description (github.com/rkosti/emotic) and five public readers of
the file; the file itself was not at hand.

The tables that Tandon's converter writes from it (github.com/Tandon-A/emotic, mat2py.py:
train.csv, val.csv, test.csv) are read too: Folder, Filename, BBox, Categorical_Labels and
Continuous_Labels, the last three as Python lists.
"""

from __future__ import annotations

import ast
import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from calibration.samples import RecipeError, existing, gathered
from tracker.values import CATEGORIES

SPLITS = ("train", "val", "test")
SPELT = {"doubt/confusion": "doubt", "disquitement": "disquietment"}  # as the set writes ours
LOWEST, HIGHEST = 1.0, 10.0  # of valence, arousal, dominance
TABLE = ("Folder", "Filename", "BBox", "Categorical_Labels", "Continuous_Labels")


@dataclass(frozen=True, slots=True)
class Person:
    where: str  # of the annotation, for errors
    picture: Path
    box: tuple[int, int, int, int]  # x0, y0, x1, y1, px; may reach beyond the picture
    categories: tuple[int, ...]  # indices into CATEGORIES, at least one
    vad: tuple[float, float, float]  # valence, arousal, dominance, 1..10; nan: not rated


def read_people(
    data: Path, split: str, annotations: Path | None = None, *, skip_broken: bool = False
) -> list[Person]:
    """The people of one split who have categories.

    annotations: the .mat, or a folder with the three tables; None: where the set has it.
    skip_broken: leave out those whose picture or annotation cannot be used, and count them.
    Raises RecipeError naming the annotation and what is wrong with it.
    """
    source = annotations or data / "Annotations" / "Annotations.mat"
    pictures = data / "emotic"
    if source.is_dir():
        said = _table(source / f"{split}.csv", pictures)
    else:
        said = _struct(source, split, pictures)
    return gathered((one for one in said if one.words), _person, skip=skip_broken)


@dataclass(frozen=True, slots=True)
class _Said:
    """An annotation before anything of it is believed."""

    where: str
    picture: Path
    box: Sequence[Any]
    words: Sequence[str]
    rated: Sequence[Any]


def _struct(path: Path, split: str, pictures: Path) -> Iterator[_Said]:
    from scipy.io import loadmat  # heavy, and needed here only
    from scipy.io.matlab import MatReadError

    try:
        with path.open("rb") as file:
            stored = loadmat(file, variable_names=[split], struct_as_record=False, squeeze_me=True)
    except (OSError, ValueError, TypeError, MatReadError, NotImplementedError) as wrong:
        reason = str(wrong).splitlines()[0] if str(wrong) else type(wrong).__name__
        raise RecipeError(f"{path}: not a readable .mat file ({reason})") from wrong
    if split not in stored:
        raise RecipeError(f"{path.name}: no variable {split!r}")
    for i, picture in enumerate(np.atleast_1d(stored[split]), 1):
        for k, person in enumerate(np.atleast_1d(_field(picture, "person", f"{split}({i})")), 1):
            where = f"{path.name}, {split}({i}).person({k})"
            name = pictures / str(_field(picture, "folder", where))
            yield _Said(
                where,
                name / str(_field(picture, "filename", where)),
                np.atleast_1d(_field(person, "body_bbox", where)).tolist(),
                _words(person, where),
                _rated(person, where),
            )


def _words(person: Any, where: str) -> list[str]:
    """What all annotators together said; in train there is one."""
    if hasattr(person, "combined_categories"):
        return [str(word) for word in np.atleast_1d(person.combined_categories)]
    said = np.atleast_1d(_field(person, "annotations_categories", where))
    return [str(w) for one in said for w in np.atleast_1d(_field(one, "categories", where))]


def _rated(person: Any, where: str) -> list[Any]:
    rated = getattr(person, "combined_continuous", None)
    if rated is None:
        rated = _field(person, "annotations_continuous", where)
    if not hasattr(rated, "valence"):  # an empty struct: nobody rated this person
        return [math.nan] * 3
    return [_field(rated, name, where) for name in ("valence", "arousal", "dominance")]


def _field(struct: Any, name: str, where: str) -> Any:
    if not hasattr(struct, name):
        raise RecipeError(f"{where}: no field {name!r}")
    return getattr(struct, name)


def _table(path: Path, pictures: Path) -> Iterator[_Said]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [c for c in TABLE if c not in (reader.fieldnames or ())]
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        raise RecipeError(f"{path}: not a readable table ({wrong})") from wrong
    if missing:
        raise RecipeError(f"{path.name}: no column {missing[0]!r}")
    for i, row in enumerate(rows, 2):
        where = f"{path.name}, row {i}"
        box, words, rated = (_listed(row[c], c, where) for c in TABLE[2:])
        yield _Said(where, pictures / row["Folder"] / row["Filename"], box, words, rated)


def _listed(cell: str, column: str, where: str) -> list[Any]:
    try:
        found = ast.literal_eval(cell)
    except (ValueError, SyntaxError):
        found = None
    if not isinstance(found, list):
        raise RecipeError(f"{where}: {column} is {cell!r}, expected a list")
    return found


def _person(said: _Said) -> Person:
    where = said.where
    try:
        x0, y0, x1, y1 = (round(float(edge)) for edge in said.box)
    except (TypeError, ValueError):
        raise RecipeError(f"{where}: the box is {list(said.box)}, expected x1 y1 x2 y2") from None
    if x1 <= x0 or y1 <= y0:
        raise RecipeError(f"{where}: the box {[x0, y0, x1, y1]} is empty")
    valence, arousal, dominance = _vad(said.rated, where)
    categories = tuple(sorted({_category(word, where) for word in said.words}))
    picture = existing(said.picture, where)
    return Person(where, picture, (x0, y0, x1, y1), categories, (valence, arousal, dominance))


def _vad(rated: Sequence[Any], where: str) -> list[float]:
    try:
        values = [float(value) for value in rated]
    except (TypeError, ValueError):
        values = []
    if len(values) != 3 or not all(math.isnan(v) or LOWEST <= v <= HIGHEST for v in values):
        raise RecipeError(f"{where}: rated {list(rated)}, expected three of 1..10")
    return values


def _category(word: str, where: str) -> int:
    name = word.strip().lower()
    name = SPELT.get(name, name)
    if name not in CATEGORIES:
        raise RecipeError(f"{where}: unknown category {word!r}")
    return CATEGORIES.index(name)
