"""The films of MediaEval 2018, "Emotional Impact of Movies" (Dellandrea et al. 2018), as folders.

    MEDIAEVAL18-SET-Valence_Arousal-annotations/annotations/MEDIAEVAL18_NN_Valence-Arousal.txt
    MEDIAEVAL18-SET-Visual_features/visual_features/MEDIAEVAL18_NN/acc/MEDIAEVAL18_NN-SSSSS_acc.txt
    MEDIAEVAL18-SET-Audio_features/audio_features/MEDIAEVAL18_NN/MEDIAEVAL18_NN_SSSSS.csv
    MEDIAEVAL18-SET-Data/data/MEDIAEVAL18_NN.mp4

SET is DevSet-Part1 to -Part3 or TestSet, NN a film, SSSSS a second of it, from 00001.

The owners give the set (LIRIS-ACCEDE, Baveye et al. 2015) to those who sign their agreement; it
is not here. The first three lines are as two public programs that read the set know them
(KongHag/emotion_project, fengluxu/Emotional-Impact-of-Movies-Task); the fourth is as in the year
before, NOT verified for 2018. A folder may stand once more inside a folder of its own name, as
unpacking leaves it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SETS = {
    "DevSet-Part1": range(14),
    "DevSet-Part2": range(14, 44),
    "DevSet-Part3": range(44, 54),
    "TestSet": range(54, 66),
}
TEST = "TestSet"
CHECKED_EVERY = 5  # films of the development sets: one in so many chooses the epoch


class FilmError(ValueError):
    """Data that is not in the layout above. The message names the file, and the line if any."""


@dataclass(frozen=True, slots=True)
class FilmFiles:
    """One film that has labels. None: that folder, or the film itself, is not there."""

    name: str  # MEDIAEVAL18_NN
    role: str  # "train", "check" (chooses the epoch) or "test"
    labels: Path
    visual: Path | None  # a folder for each descriptor
    audio: Path | None
    video: Path | None


def find_films(root: Path) -> list[FilmFiles]:
    """All films below `root` whose labels are there, by number.

    Raises FilmError if there is none, or if a role has no film.
    """
    films = list(_films(root))
    if not films:
        example = _labels(root, "TestSet", "MEDIAEVAL18_54")
        raise FilmError(f"{root}: no labels; the first looked for in the test set is {example}")
    for role in ("train", "check", "test"):
        if not any(film.role == role for film in films):
            names = ", ".join(film.name for film in films)
            raise FilmError(f"{root}: no film to {role} with, only {names}")
    return films


def _films(root: Path) -> Iterator[FilmFiles]:
    developed = 0
    for part, numbers in SETS.items():
        for number in numbers:
            name = f"MEDIAEVAL18_{number:02}"
            labels = _labels(root, part, name)
            if not labels.is_file():
                continue
            role = "test"
            if part != TEST:
                role = "check" if developed % CHECKED_EVERY == CHECKED_EVERY - 1 else "train"
                developed += 1
            visual = _inside(root, f"MEDIAEVAL18-{part}-Visual_features") / "visual_features" / name
            audio = _inside(root, f"MEDIAEVAL18-{part}-Audio_features") / "audio_features" / name
            video = _inside(root, f"MEDIAEVAL18-{part}-Data") / "data" / f"{name}.mp4"
            there = (path if path.exists() else None for path in (visual, audio, video))
            yield FilmFiles(name, role, labels, *there)


def _labels(root: Path, part: str, name: str) -> Path:
    folder = _inside(root, f"MEDIAEVAL18-{part}-Valence_Arousal-annotations") / "annotations"
    return folder / f"{name}_Valence-Arousal.txt"


def _inside(root: Path, name: str) -> Path:
    twice = root / name / name
    return twice if twice.is_dir() else root / name
