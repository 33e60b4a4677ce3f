"""Teaches all four networks and prints the contest's table: `python -m calibration.films.train`.

Three read the contest's descriptors; the fourth is the second of them on what our own networks
see. Films are read once and kept in the run's folder, so that a killed training goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from calibration.films.descriptors import Film, missing, read_film, read_labels
from calibration.films.fit import Build, Recipe, answers, fit
from calibration.films.layout import FilmError, FilmFiles, find_films
from calibration.films.networks import Convolutional, FullyConnected, Recurrent
from calibration.films.ours import watch_film
from calibration.films.scores import Score, as_text, constant, score
from calibration.samples import RecipeError, run
from calibration.traces.tables import TraceError
from tracker.models import ModelError
from tracker.options import SOUND, Options
from tracker.sources.base import SourceError

SCENE = "scene-s"
NETWORKS: dict[str, tuple[str, Build]] = {  # by the row of the table: what it reads, what it is
    "fully connected": ("descriptors", FullyConnected),
    "LSTM": ("descriptors", Recurrent),
    "CNN and LSTM": ("descriptors", Convolutional),
    "LSTM on our own networks": ("ours", Recurrent),
}


def table(
    films: Sequence[FilmFiles], recipe: Recipe, runs: Path, options: Options
) -> tuple[dict[str, tuple[Score, Score]], list[str]]:
    """A row for each network and one for the constant answer, and what was missing, in words."""
    rows: dict[str, tuple[Score, Score]] = {}
    notes: list[str] = []
    for name, (kind, build) in NETWORKS.items():
        if kind == "ours" and all(film.video is None for film in films):
            notes.append(f"no row {name!r}: the films themselves are not there")
            continue
        read = _kept(films, kind, runs, options)
        if kind == "descriptors":
            notes += [note for film in read for note in missing(film)]
        train, check, test = (
            [film for film, files in zip(read, films, strict=True) if files.role == role]
            for role in ("train", "check", "test")
        )
        network = fit(name, build, train, check, recipe, runs / name.replace(" ", "-"))
        said = answers(network, test)
        rows[name] = score(said)
        known = [film.affect for film in (*train, *check)]
        rows.setdefault("constant mean, training films", constant(known, said))
    return rows, list(dict.fromkeys(notes))


def _kept(films: Sequence[FilmFiles], kind: str, runs: Path, options: Options) -> list[Film]:
    """Every film as `kind` sees it, from the run's folder where it has been read before."""
    read = read_film if kind == "descriptors" else partial(watch_film, options=options)
    ours = (Path(name).stem for name in (options.scene, options.sound) if name is not None)
    seen = kind if kind == "descriptors" else "-".join(["ours", *ours])
    kept = []
    for files in tqdm(films, desc=kind, unit="film"):
        path = runs / seen / f"{files.name}.npy"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".partial.npy")
            np.save(unfinished, read(files).x)
            unfinished.replace(path)
        x = np.load(path, mmap_mode="r")  # all films together are larger than memory
        affect = read_labels(files.labels)
        if len(x) != len(affect):
            raise FilmError(f"{path}: {len(x)} s, but {files.labels} has {len(affect)}; remove it")
        kept.append(Film(files.name, x, affect))
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m calibration.films.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of MEDIAEVAL18-...")
    parser.add_argument("--runs", type=Path, default=Path("runs/films"))
    parser.add_argument("--scene", default=SCENE, metavar="NAME", help="default: %(default)s")
    parser.add_argument("--sound", default=SOUND, metavar="NAME", help="default: %(default)s")
    parser.add_argument("--epochs", type=int, help="of each training")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    recipe = Recipe() if args.epochs is None else replace(Recipe(), epochs=args.epochs)
    try:
        films = find_films(args.data)
        options = Options(scene=args.scene, sound=args.sound)
        rows, notes = table(films, recipe, args.runs, options)
    except (FilmError, TraceError, SourceError, ModelError, ValueError) as wrong:
        raise RecipeError(str(wrong)) from wrong
    for note in notes:
        print(note)
    tested = sum(film.role == "test" for film in films)
    print(as_text(rows, f"{tested} test films"))


if __name__ == "__main__":
    run(main)
