"""Trains the poster's network on four classes of FER2013, and ours on the same labels.

python -m calibration.poster.train --shared ../shared --runs runs --ours --start runs/face/third

Both get the same pictures, augmentation, averaging, choice of the epoch and mirror image, so that
the table compares networks. Only ours can start from weights trained on FER+ votes (--start).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from calibration.face.network import SHIPPED, FaceNetwork
from calibration.poster.fit import Recipe, fit
from calibration.poster.four_classes import FourClasses, constant, cross_entropy, judge, load
from calibration.poster.network import FOUR, OursNetwork, PosterNetwork, TwoParts
from calibration.poster.views import ALONE, MIRRORED, TEN
from calibration.samples import RecipeError, run

POSTER = Recipe(epochs=20, rate=1e-3, patience=8)
OURS = Recipe(epochs=24, rate=1e-3, patience=8, mixup=0.2)

WAYS = {"picture alone": ALONE, "mirrored too": MIRRORED, "ten views": TEN}


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    name: str
    accuracy: float
    other_half: float  # accuracy on the validation pictures that chose nothing


def train_poster(data: FourClasses, folder: Path, recipe: Recipe) -> TwoParts:
    return _fitted(PosterNetwork, data, folder, recipe, "scratch")


def train_ours(data: FourClasses, folder: Path, recipe: Recipe, start: Path | None) -> TwoParts:
    """start: folder of a training of calibration.face.train; None: from random weights."""

    def build() -> TwoParts:
        face = FaceNetwork(SHIPPED)
        if start is not None:
            face.load_state_dict(best_weights(start))
        return OursNetwork(face)

    return _fitted(build, data, folder, recipe, "scratch" if start is None else start.as_posix())


def best_weights(folder: Path) -> dict[str, torch.Tensor]:
    """Averaged weights of the best epoch of a training kept by calibration.training.Run.

    Raises ValueError naming the folder if there is none.
    """
    path = folder / "state.pt"
    if not path.is_file():
        raise ValueError(f"{folder}: no training here (state.pt is missing)")
    weights: dict[str, torch.Tensor] = torch.load(path, weights_only=True)["parts"]["best"][
        "weights"
    ]
    return weights


def table(data: FourClasses, networks: dict[str, TwoParts]) -> list[Row]:
    """Each network in each way of looking, then the constant answer."""
    rows = []
    for name, network in networks.items():
        for way, views in WAYS.items():
            scores = judge(data, network, views)
            rows.append(Row(f"{name}, {way}", scores["accuracy"], scores["other_half"]))
    word, scores = constant(data)
    return [*rows, Row(f"always {word}", scores["accuracy"], scores["other_half"])]


def as_text(rows: list[Row], data: FourClasses) -> str:
    n, rest = len(data.valid), int((~data.chosen_on).sum())
    lines = [
        f"FER2013 labels {', '.join(FOUR)}; PublicTest without near-duplicates of training",
        f"{'accuracy':<64}{f'all {n}':>12}{f'unseen {rest}':>14}",
    ]
    lines += [f"{row.name:<64}{row.accuracy:12.4f}{row.other_half:14.4f}" for row in rows]
    return "\n".join([*lines, "unseen: the half of the pictures that did not choose the epoch"])


def _fitted(
    build: Callable[[], TwoParts], data: FourClasses, folder: Path, recipe: Recipe, start: str
) -> TwoParts:
    settings = {"start": start, "labels": list(FOUR), "pictures": len(data.training)}
    return fit(build, recipe, data.training, cross_entropy, partial(judge, data), folder, settings)


def _named(kind: str, network: TwoParts, start: Path | None) -> str:
    count = sum(p.numel() for p in network.parameters())
    begin = "random weights" if start is None else f"FER+ weights of {start.name}"
    return f"{kind}, {count / 1e6:.2f} M, {begin}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--ours", action="store_true", help="train our architecture as well")
    parser.add_argument("--start", type=Path, help="of ours: folder of a face training")
    parser.add_argument("--epochs", type=int, help="of each training; the schedule is fitted to it")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    given = {} if args.epochs is None else {"epochs": args.epochs}
    data = load(args.shared)
    networks: dict[str, TwoParts] = {}
    try:
        if args.ours:
            folder = args.runs / "poster" / "ours"
            ours = train_ours(data, folder, replace(OURS, **given), args.start)
            networks[_named("ours", ours, args.start)] = ours
        poster = train_poster(data, args.runs / "poster" / "poster", replace(POSTER, **given))
    except ValueError as wrong:
        raise RecipeError(str(wrong)) from wrong
    networks[_named("the poster's", poster, None)] = poster
    print(as_text(table(data, networks), data))


if __name__ == "__main__":
    run(main)
