"""How often people keep their numbers where faces meet, hide each other, and come and go.

    python benchmarks/identities.py --shared ../shared

Real finding and following on films made of pairs of face pictures (DiffusionFER and the unmasked
of the mask set, 80 px faces) that move over one soft background at 25 frames/s:

* pass: one walks by in front of the other
* turn back: they meet, one hides the other for half a second, both go back
* replaced: one leaves, and after 0.4 s somebody else comes to the same place
* absent: somebody is covered for 0.8 s and is there again

Each twice: as the tracker does it, and by place and motion alone, everybody looking the same.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

import tracker.faces
from tracker import Options
from tracker.api import KEPT
from tracker.appearance import CELLS
from tracker.detectors import open_detector
from tracker.faces import Detector, FaceFinder
from tracker.values import Frame, Image

RATE = 25  # frames/s
SIDE = 150  # px, of a picture with a face
CHOSEN_ON = 40  # pictures with which the constants of tracker/tracks.py were chosen: left out
SPEEDS = (100, 200, 400)  # px/s
HEIGHT, WIDTH = 360, 640
Place = tuple[int, float, float]  # who, and the middle of the picture, px
Numbers = tuple[list[int], list[int]]  # what the first and the second were called, in time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--pairs", type=int, default=40)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    detector = open_detector("builtin", min_confidence=KEPT * Options().min_confidence)
    count = CHOSEN_ON + 2 * given.pairs
    people = portraits(given.shared / "data" / "faces", detector, count)[CHOSEN_ON:]
    pairs = list(zip(people[::2], people[1::2], strict=True))
    print(f"{'':<34}{'runs':>6}{'right':>8}{'swapped':>9}{'anew':>6}")
    show("", detector, pairs)
    alike = np.zeros(3 * CELLS**2, np.float32)
    tracker.faces.appearance = lambda image, box: alike
    show(", by place and motion", detector, pairs)


def show(how: str, detector: Detector, pairs: list[tuple[Image, Image]]) -> None:
    for kind in ("pass", "turn back", "replaced", "absent"):
        speeds = (0,) if kind == "absent" else SPEEDS
        runs = [followed(detector, kind, pair, v / RATE) for v in speeds for pair in pairs]
        swapped = sum(bool(set(one) & set(other)) for one, other in runs)
        anew = sum(
            not set(one) & set(other) and (len(set(one)) > 1 or len(set(other)) > 1)
            for one, other in runs
        )
        right = len(runs) - swapped - anew
        print(f"{kind + how:<34}{len(runs):6}{right:8}{swapped:9}{anew:6}", flush=True)


def portraits(faces: Path, detector: Detector, count: int) -> list[Image]:
    """Pictures of SIDE px in each of which one face is found, of an ordinary size."""
    files = []
    for folder, wanted in (("diffusionfer", None), ("masked", "0")):
        with (faces / folder / "labels.csv").open(newline="") as file:
            rows = [r for r in csv.DictReader(file) if wanted is None or r["masked"] == wanted]
        files += [faces / folder / row["file"] for row in rows]
    chosen: list[Image] = []
    for i in np.random.default_rng(0).permutation(len(files)):
        picture = cv2.cvtColor(cv2.imread(str(files[i])), cv2.COLOR_BGR2RGB)
        small = np.asarray(
            cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8
        )
        scene = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
        lay(scene, small, WIDTH / 2, HEIGHT / 2)
        found = detector(scene)
        if len(found) == 1 and 60 < found[0].box.x1 - found[0].box.x0 < 130:
            chosen.append(small)
        if len(chosen) == count:
            break
    return chosen


def followed(detector: Detector, kind: str, pair: tuple[Image, Image], step: float) -> Numbers:
    """The numbers that the two got wherever both cannot be confused. step: px per frame."""
    finder = FaceFinder(detector, begin_at=Options().min_confidence, forget_after=2.0)
    noise = np.random.default_rng(5).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    empty = np.asarray(cv2.GaussianBlur(noise, (0, 0), 12), np.uint8)
    numbers: Numbers = ([], [])
    for i, places in enumerate(story(kind, step)):
        scene = empty.copy()
        for who, x, y in places:
            lay(scene, pair[who], x, y)
        frame = Frame(i, i / RATE, 0.0, scene)
        for face in finder(frame, False, finder.look(scene)):
            x, y = (face.box.x0 + face.box.x1) / 2, (face.box.y0 + face.box.y1) / 2
            near = sorted((abs(x - px) + abs(y - py), who) for who, px, py in places)
            if near and near[0][0] < 60 and (len(near) == 1 or near[1][0] > 90):
                numbers[near[0][1]].append(face.track)
    return numbers


def story(kind: str, step: float) -> Iterator[list[Place]]:
    """Who is where in each frame, the one behind first."""
    still = [(0, 300.0, 180.0)]
    if kind == "pass":
        yield from ([(1, 520 - k, 185), (0, 120 + k, 180)] for k in np.arange(0, 400, step))
    elif kind == "turn back":
        meeting = [[(1, 480 - k, 185.0), (0, 150 + k, 180.0)] for k in np.arange(0, 180, step)]
        yield from meeting
        yield from [meeting[-1]] * (RATE // 2)
        yield from reversed(meeting)
    elif kind == "replaced":
        yield from [still] * RATE
        yield from ([(0, 300.0, 180 + k)] for k in np.arange(0, 260, step))
        yield from [[]] * (RATE * 2 // 5)
        yield from ([(1, 300.0, 440 - k)] for k in np.arange(0, 260, step))
        yield from [[(1, 300.0, 180.0)]] * 15
    else:
        yield from [still] * RATE
        yield from [[]] * (RATE * 4 // 5)
        yield from [[(0, 305.0, 182.0)]] * RATE


def lay(scene: Image, picture: Image, x: float, y: float) -> None:
    """The oval of a picture with its middle at (x, y), edges softened; what sticks out is cut."""
    left, top = round(x - SIDE / 2), round(y - SIDE / 2)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(WIDTH, left + SIDE), min(HEIGHT, top + SIDE)
    if x1 <= x0 or y1 <= y0:
        return
    whole = np.zeros((SIDE, SIDE), np.float32)
    cv2.ellipse(whole, (SIDE // 2, SIDE // 2), (62, 74), 0, 0, 360, 1.0, -1)
    opaque = cv2.GaussianBlur(whole, (7, 7), 2)[y0 - top : y1 - top, x0 - left : x1 - left, None]
    part = picture[y0 - top : y1 - top, x0 - left : x1 - left]
    scene[y0:y1, x0:x1] = scene[y0:y1, x0:x1] * (1 - opaque) + part * opaque


if __name__ == "__main__":
    main()
