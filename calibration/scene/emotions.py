"""Soft labels for Mikels' eight emotions, derived: nobody named an emotion for these pictures.

`themes.csv` says, for each theme of OASIS, which emotions its word suggests (our judgement, from
the word alone) and whether it shows an outdoor place, and beside it the labels that follow. They
are likelihoods: an emotion counts by the theme's word and by how close its place in the
valence-arousal plane is to what the picture's viewers said.

python -m calibration.scene.emotions --shared ../shared   # writes the derived columns again
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.samples import run
from calibration.scene.pictures import Rated, load_rated
from tracker.values import EMOTIONS

TABLE = Path(__file__).parent / "themes.csv"
# Valence and arousal. The order follows the circumplex (Russell 1980); arousal is drawn together
# to the range that OASIS has, -0.77 to 0.49 with mean -0.14.
LOCATIONS = {
    "amusement": (0.50, -0.10),
    "awe": (0.50, 0.05),
    "contentment": (0.50, -0.40),
    "excitement": (0.45, 0.25),
    "anger": (-0.45, 0.15),
    "disgust": (-0.55, 0.00),
    "fear": (-0.50, 0.25),
    "sadness": (-0.50, -0.20),
}
REACH = (0.30, 0.25)  # standard deviation of one emotion's place, valence and arousal
UNSAID = 0.1  # weight of an emotion that the word does not suggest, beside 1 for one it does


@dataclass(frozen=True)
class Theme:
    suggests: tuple[str, ...]  # of EMOTIONS; none: all alike
    outdoor: bool | None  # None: the word does not say


def load_themes(path: Path = TABLE) -> dict[str, Theme]:
    """By group. Raises ValueError naming a row whose words are unknown."""
    known = {"yes": True, "no": False, "": None}
    themes = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            suggests = tuple(row["suggests"].split())
            if not set(suggests) <= set(EMOTIONS) or row["outdoor"] not in known:
                raise ValueError(f"{path.name}: {row['group']}: {row['suggests']} {row['outdoor']}")
            themes[row["group"]] = Theme(suggests, known[row["outdoor"]])
    return themes


def derived(affect: NDArray[np.float64], themes: Sequence[Theme]) -> NDArray[np.float64]:
    """(n, 8): soft labels, summing to 1, of pictures with this affect (n, 2) and these themes."""
    places = np.array([LOCATIONS[name] for name in EMOTIONS])
    away = (affect[:, None] - places) / REACH
    words = np.array([_weights(theme) for theme in themes])
    likely = words * np.exp(-0.5 * (away**2).sum(2))
    return np.asarray(likely / likely.sum(1, keepdims=True), np.float64)


def labels_of(rated: Rated) -> NDArray[np.float64]:
    """(n, 8): the soft labels of OASIS. Raises KeyError for a group without a row."""
    themes = load_themes()
    return derived(rated.affect, [themes[group] for group in rated.groups])


def write_table(rated: Rated, path: Path = TABLE) -> None:
    """Keeps the judged columns and writes the derived ones: means over the group's pictures."""
    themes, labels = load_themes(path), labels_of(rated)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        derived_names = ("pictures", "valence", "arousal", *EMOTIONS)
        writer.writerow(("group", "suggests", "outdoor", *derived_names))
        for group, theme in themes.items():
            rows = rated.groups == group
            place = {True: "yes", False: "no", None: ""}[theme.outdoor]
            means = (*rated.affect[rows].mean(0), *labels[rows].mean(0))
            judged = (group, " ".join(theme.suggests), place)
            writer.writerow((*judged, rows.sum(), *(f"{mean:.3f}" for mean in means)))


def _weights(theme: Theme) -> list[float]:
    if not theme.suggests:
        return [1.0] * len(EMOTIONS)
    return [1.0 if name in theme.suggests else UNSAID for name in EMOTIONS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    write_table(load_rated(parser.parse_args().shared))


if __name__ == "__main__":
    run(main)
