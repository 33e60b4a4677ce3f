"""The two systems by name: which set, what they stated, and how a command names its files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from calibration.evoked import capd, flickr
from calibration.evoked.pictures import Pictures
from calibration.samples import RecipeError
from tracker.values import EMOTIONS


@dataclass(frozen=True)
class System:
    name: str
    theirs: dict[str, float]  # as the source states it, on a test of its own
    balanced: bool  # every class is drawn equally often in training
    data: dict[str, str]  # for the card


SYSTEMS = {
    "deepemotion": System(
        "deepemotion",
        {"accuracy": 0.502},
        False,
        {
            "name": "CAP-D (Moyal, Henik and Anholt 2018)",
            "licence": "of the four picture sets it is made of: for research, by agreement",
            "used_for": "train; a tenth for choosing the epoch; a fifth for the scores only",
        },
    ),
    "learningtofeel": System(
        "learningtofeel",
        {"accuracy": 0.69, "positive or negative": 0.91},
        True,
        {
            "name": "You et al. (2016), Flickr and Instagram, at least four of five votes",
            "licence": "pictures belong to their authors; the labels are for research",
            "used_for": "train; 5 % for choosing the epoch; 15 % for the scores only",
        },
    ),
}


def add_set(parser: argparse.ArgumentParser) -> None:
    """The arguments that say where a set lies and what of it counts."""
    add = parser.add_argument
    add("system", choices=SYSTEMS)
    add("--table", type=Path, required=True, help="CAP-D's table, or the folder of votes")
    add("--pictures", type=Path, required=True, help="the folder they are in")
    add("--agreed", type=float, default=capd.AGREED, metavar="SHARE", help="CAP-D: of viewers")
    add("--scale", type=float, default=1.0, help="CAP-D: what full agreement is written as")
    add("--votes", type=int, default=flickr.LEAST, help="Flickr: at least so many of five")
    add("--skip-broken", action="store_true", help="leave out what is unusable, and count it")
    add(
        "--as",
        dest="same",
        action="append",
        default=[],
        metavar="CLASS=EMOTION",
        help="which of the eight emotions a class of the set is, where the words differ",
    )


def read_set(args: argparse.Namespace) -> Pictures:
    """Raises RecipeError naming file and row."""
    skip = args.skip_broken
    if args.system == "deepemotion":
        agreed, scale = args.agreed, args.scale
        return capd.read_capd(
            args.table, args.pictures, agreed=agreed, scale=scale, skip_broken=skip
        )
    return flickr.read_flickr(args.table, args.pictures, least=args.votes, skip_broken=skip)


def emotions_of(classes: Sequence[str], same: Sequence[str]) -> list[str | None]:
    """Which of EMOTIONS each class is: by its own word, or as `same` says; None: none of them."""
    said = {}
    for words in same:
        name, equals, emotion = words.partition("=")
        if not equals or name not in classes or emotion not in EMOTIONS:
            raise RecipeError(
                f"--as {words}: expected CLASS=EMOTION with one of {', '.join(classes)} "
                f"and one of {', '.join(EMOTIONS)}"
            )
        said[name] = emotion
    words_of = {name: said.get(name, name.strip().lower()) for name in classes}
    return [words_of[name] if words_of[name] in EMOTIONS else None for name in classes]
