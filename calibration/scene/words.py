"""What the things that ImageNet names evoke, judged from their names alone: `words.csv`.

A row for each of the 1,000 classes: valence and arousal in [-1, 1] and, where one suggests itself,
one of Mikels' emotions. No viewer was asked: it is our own judgement, coarse on purpose, made
before any network was fitted to it and never changed after. A network that knows ImageNet's
classes knows from it that a tarantula frightens without having seen one rated.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.scene.mobilenet import CLASSES
from tracker.values import EMOTIONS

TABLE = Path(__file__).parent / "words.csv"
COLUMNS = ("valence", "arousal", *EMOTIONS)


def norms(path: Path = TABLE) -> NDArray[np.float32]:
    """(1001, 10): COLUMNS of each class; class 0, "background", is all 0.

    Raises ValueError naming a row that is out of order, range or vocabulary.
    """
    table = np.zeros((CLASSES, len(COLUMNS)), np.float32)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if [row["index"] for row in rows] != [str(i) for i in range(CLASSES - 1)]:
        raise ValueError(f"{path.name}: expected the indices 0 to {CLASSES - 2} in order")
    for row in rows:
        affect = float(row["valence"]), float(row["arousal"])
        if max(map(abs, affect)) > 1 or row["emotion"] not in ("", *EMOTIONS):
            raise ValueError(f"{path.name}: row {row['index']}: {row}")
        values = table[int(row["index"]) + 1]
        values[:2] = affect
        if row["emotion"]:
            values[COLUMNS.index(row["emotion"])] = 1
    return table
