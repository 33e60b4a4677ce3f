"""The face network in another precision, with what that costs.

python -m calibration.face.quantized --shared ../shared --form int8 --out tracker/weights

writes face-s-int8.onnx and its card, and prints accuracy and readings against the original's, on
pictures and on the clips. That one ships; another form is used with
`EMOTRACK_MODELS=FOLDER emotrack film.mp4 --face face-s-fp16`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import engines
from calibration.cards import write_card
from calibration.face.apart import apart, summary
from calibration.face.evaluate import Reader, scores
from calibration.face.pictures import training_votes, validation_votes
from calibration.quantize import FORMS, quantize
from calibration.samples import run
from tracker.crops import Template
from tracker.models import hash_file, load_card

SEEN = 2048  # training pictures that the ranges are taken from
# What int8 for the CPU leaves as it is, by parts of the names of weights: the first block, whose
# rounding moves readings most, and the shortcuts, which are as fast without.
KEPT = ("body.3.", ".around.")
CLIPS = "faces of ../shared/clips"
FERPLUS = "FER+ validation without leaks"
ROUNDS = 200  # of timing


@dataclass(frozen=True)
class Cost:
    """One figure of the new file, beside the original's where it has one."""

    metric: str
    value: float
    n: int
    original: float | None = None
    set: str = FERPLUS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--model", type=Path, default=Path("tracker/weights/face-s.onnx"))
    parser.add_argument("--form", choices=FORMS, default="int8")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    given = parser.parse_args()
    target = given.out / f"{given.model.stem}-{given.form}.onnx"
    faces = given.shared / "data" / "faces"
    votes = training_votes(faces)
    chosen = np.random.default_rng(0).choice(len(votes), SEEN, replace=False)
    crops = votes.images[chosen][:, None].astype(np.float32)
    given.out.mkdir(parents=True, exist_ok=True)
    kept = KEPT if given.form == "int8" else ()
    quantize(given.model, target, given.form, {"face": crops}, kept)
    # The clips are read by the name of a network with a card.
    write_card(target, card_of(given.model, target.stem, given.form, []))
    costs = [
        *scored(given.model, target, given.shared),
        *measured(given.model, target, faces),
        *moved(given.model, target, given.shared),
    ]
    for cost in costs:
        beside = "" if cost.original is None else f"  (original {cost.original:.4f})"
        print(f"{cost.value:8.4f}  {cost.metric}{beside}  [{cost.set}, n {cost.n}]")
    for rows in (1, 2, 6):
        ratio = milliseconds(target, rows) / milliseconds(given.model, rows)
        print(f"{ratio:8.2f}  of the original's processor time, {rows} faces, ONNX Runtime")
    print(write_card(target, card_of(given.model, target.stem, given.form, costs)))


def scored(original: Path, made: Path, shared: Path) -> Iterator[Cost]:
    """The new file, on all that the original's card has scores of."""
    card = load_card(original.with_suffix(".json"))
    known = {(score["metric"], score["set"]): score["value"] for score in card["scores"]}
    for s in scores(made, Template.from_card(card["input"]), shared):
        yield Cost(s.metric, s.value, s.n, known.get((s.metric, s.set)), s.set)


def measured(original: Path, made: Path, faces: Path) -> Iterator[Cost]:
    """How far the two are apart on pictures that neither training nor ranges have seen."""
    votes = validation_votes(faces)
    ours, theirs = (Reader(path)(votes.images) for path in (made, original))
    same = ours.expression.argmax(1) == theirs.expression.argmax(1)
    yield Cost("same expression as the original", float(same.mean()), len(votes))
    distance = np.abs(ours.affect - theirs.affect)
    for k, name in enumerate(("valence", "arousal")):
        mean, most = float(distance[:, k].mean()), float(distance[:, k].max())
        yield Cost(f"{name}, mean distance from the original", mean, len(votes))
        tail = float(np.quantile(distance[:, k], 0.95))
        yield Cost(f"{name}, distance of 95 % is below", tail, len(votes))
        yield Cost(f"{name}, largest distance", most, len(votes))


def moved(original: Path, made: Path, shared: Path) -> Iterator[Cost]:
    """What it does to the readings of films, valence and arousal together. They chose nothing: it
    was tried on training pictures what to keep."""
    os.environ["EMOTRACK_MODELS"] = os.pathsep.join((str(made.parent), str(original.parent)))
    found = [of for _, of in apart(shared / "clips", original.stem, made.stem)]
    everything = np.concatenate(found)
    for kind, part in (("steadied", everything[:, :2]), ("raw", everything[:, 2:])):
        for name, value in summary(part).items():
            yield Cost(f"{kind} readings, distance, {name}", value, len(part), set=CLIPS)


def card_of(original: Path, name: str, form: str, costs: list[Cost]) -> dict[str, Any]:
    """The original's card, with the scores of this file."""
    card = load_card(original.with_suffix(".json"))
    command = f"python -m calibration.face.quantized --shared ../shared --form {form}"
    today = date.today().isoformat()
    figures = [
        {
            "metric": cost.metric,
            "value": round(cost.value, 4),
            **({} if cost.original is None else {"original": round(cost.original, 4)}),
            "set": cost.set,
            "n": cost.n,
            "date": today,
            "command": command,
        }
        for cost in costs
    ]
    made = {"precision": form, "made_from": {"name": card["name"], "sha256": hash_file(original)}}
    return {**card, **made, "name": name, "scores": figures}


def milliseconds(path: Path, rows: int) -> float:
    """Median processor time of a batch; it runs in the thread that asks."""
    engine = engines.load(path, "onnx", max_batch=rows)
    crops = np.full((rows, *engine.inputs[0].shape), 100, np.float32)
    times = []
    for _ in range(ROUNDS):
        begin = time.thread_time()
        engine.infer(crops)
        times.append(time.thread_time() - begin)
    engine.close()
    return statistics.median(times) * 1e3


if __name__ == "__main__":
    run(main)
