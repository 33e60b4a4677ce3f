"""You, Luo, Jin and Yang (2016): pictures of Flickr and Instagram, and five votes on each.

The pictures were found by an emotion's name; five workers of Amazon Mechanical Turk then said
whether a picture evokes it. What is handed out are tables without a header, in one folder:

    emotion, url, how many disagreed, how many agreed

in files such as anger_1st_1000.csv; a picture may stand in several, and its votes then add up. So
two public readers have it; the files were not at hand. The pictures are for everyone to fetch by
themselves and are expected in one folder, under the last part of their URL. Many URLs are dead by
now: --skip-broken leaves those pictures out and says how many.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from calibration.evoked.pictures import Pictures, Sample, parted
from calibration.samples import RecipeError, existing, gathered
from tracker.values import EMOTIONS

VOTES = 5
LEAST = 4  # votes for it, of five (Learning to Feel; the set's authors were content with three)
SHARES = (0.80, 0.05, 0.15)  # train, val, test, as the set's authors (unverified)


@dataclass(slots=True)
class _Voted:
    where: str  # where it was first seen
    agreed: int = 0
    disagreed: int = 0


def read_flickr(
    folder: Path, pictures: Path, *, least: int = LEAST, skip_broken: bool = False
) -> Pictures:
    """The pictures on whose emotion at least `least` of five agree.

    One that passes for two emotions has none. Raises RecipeError naming file and row.
    """
    voted = _voted(folder)
    clear = [
        (emotion, url, votes.where)
        for (emotion, url), votes in voted.items()
        if votes.agreed * VOTES >= least * (votes.agreed + votes.disagreed)
        and votes.agreed >= least
    ]
    times = Counter(url for _, url, _ in clear)
    if not clear:
        raise RecipeError(f"{folder}: no picture has {least} of {VOTES} votes")

    def sample(one: tuple[str, str, str]) -> Sample:
        emotion, url, where = one
        picture = existing(pictures / url.rsplit("/", 1)[-1], where)
        return Sample(where, picture, EMOTIONS.index(emotion))

    single = (one for one in clear if times[one[1]] == 1)
    return parted(EMOTIONS, gathered(single, sample, skip=skip_broken), SHARES)


def _voted(folder: Path) -> dict[tuple[str, str], _Voted]:
    """(emotion, url) -> all votes on it."""
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise RecipeError(f"{folder}: no tables (.csv) in there")
    voted: dict[tuple[str, str], _Voted] = {}
    for path in files:
        for i, row in enumerate(_rows(path), 1):
            where = f"{path.name}, row {i}"
            emotion, url, disagreed, agreed = _checked(row, where)
            votes = voted.setdefault((emotion, url), _Voted(where))
            votes.agreed += agreed
            votes.disagreed += disagreed
    return voted


def _rows(path: Path) -> list[list[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        raise RecipeError(f"{path}: not a readable table ({wrong})") from wrong


def _checked(row: list[str], where: str) -> tuple[str, str, int, int]:
    if len(row) != 4:
        raise RecipeError(f"{where}: {len(row)} columns; expected emotion, url, disagree, agree")
    emotion = row[0].strip().lower()
    if emotion not in EMOTIONS:
        raise RecipeError(f"{where}: unknown emotion {row[0]!r}; known: {', '.join(EMOTIONS)}")
    if not (row[2].strip().isdecimal() and row[3].strip().isdecimal()):
        raise RecipeError(f"{where}: the votes are {row[2]!r} and {row[3]!r}, not counts")
    return emotion, row[1].strip(), int(row[2]), int(row[3])
