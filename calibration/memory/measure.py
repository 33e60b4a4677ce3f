"""Where the measured numbers of `Noise` come from: `python -m calibration.memory.measure`.

What the detector says of the test clips is read from a table beside them. How much a network that
sees single pictures trembles is measured with MediaPipe's blendshapes, if that package is here.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLIPS = (  # faces, none of them hard to decode
    "asl_book.mkv",
    "asl_brother.mkv",
    "asl_hungry.mkv",
    "asl_thanks.mkv",
    "chaplin.mp4",
    "crying_woman_pexels.mp4",
    "face_noface.mov",
    "mpiigaze_video00.mp4",
    "mpiigaze_video03.mp4",
    "single_face.mp4",
    "sintel_26s.mp4",
)
ALONE = ("asl_brother.mkv", "asl_hungry.mkv", "crying_woman_pexels.mp4", "single_face.mp4")
SHORTEST = 40  # frames; shorter tracks say little
LOST_AFTER = 2.0  # s without a face before a track ends
SHAPES = ("mouthSmileLeft", "browInnerUp", "browDownLeft", "eyeSquintLeft", "jawOpen")
MOVES = 0.02  # deviation below which a blendshape does not take part in the clip

Vector = NDArray[np.float64]


@dataclass(slots=True)
class Sighting:
    """One face from frame to frame, by place alone."""

    pts: list[float]
    score: list[float]
    mouth: list[float]  # width of the mouth over the distance of the eyes
    place: tuple[float, float, float]  # x, y of the middle and width, px


def sightings(clips: Path, name: str) -> list[Sighting]:
    times = {
        int(row["frame"]): float(row["pts_s"])
        for row in _rows(clips / "frames.csv.gz")
        if row["file"] == name
    }
    open_ones: list[Sighting] = []
    done: list[Sighting] = []
    for row in _rows(clips / "yunet_boxes.csv.gz"):
        if row["file"] != name or row["input_width"] != "640":
            continue
        pts = times[int(row["frame"])]
        done += [s for s in open_ones if pts - s.pts[-1] > LOST_AFTER]
        open_ones = [s for s in open_ones if pts - s.pts[-1] <= LOST_AFTER]
        _add(open_ones, pts, {k: float(v) for k, v in row.items() if k != "file"})
    return [s for s in done + open_ones if len(s.pts) >= SHORTEST]


def lasts(series: Vector, step: float) -> float:
    """s until the correlation of a series with itself falls to 1/e; nan if it never does."""
    still = series - series.mean()
    power = still @ still
    for lag in range(1, len(still) // 2):
        if still[:-lag] @ still[lag:] < power / np.e:
            return lag * step
    return float("nan")


def trembling(series: Vector, step: float) -> tuple[float, float, float]:
    """Deviation of what is new in every picture, of all that is faster than 0.6 s, and how much of
    that is still there a picture later (correlation).

    A slow curve vanishes in third differences, white noise of variance v leaves 20 v.
    """
    white = float(np.sqrt(np.mean(np.diff(series, 3) ** 2) / 20))
    width = max(3, round(0.6 / step) | 1)
    middle = np.convolve(series, np.ones(width) / width, "valid")
    quick = series[width // 2 : width // 2 + len(middle)] - middle
    return white, float(quick.std()), float(np.corrcoef(quick[:-1], quick[1:])[0, 1])


def blendshapes(model: Path, clip: Path) -> tuple[dict[str, Vector], float]:
    """Series of every shape, each picture read by itself, and the seconds between pictures."""
    import av
    import mediapipe as mp

    vision = mp.tasks.vision
    options = vision.FaceLandmarkerOptions(
        base_options=mp.tasks.BaseOptions(model_asset_path=str(model)),
        output_face_blendshapes=True,
    )
    read: list[dict[str, float]] = []
    with vision.FaceLandmarker.create_from_options(options) as reader, av.open(str(clip)) as box:
        rate = box.streams.video[0].average_rate
        for frame in box.decode(video=0):
            image: Any = np.ascontiguousarray(frame.to_ndarray(format="rgb24"))
            found = reader.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=image))
            for face in found.face_blendshapes[:1]:
                read.append({shape.category_name: shape.score for shape in face})
    series = {name: np.array([row[name] for row in read]) for name in SHAPES}
    return series, 1 / float(rate or 25)


def _add(live: list[Sighting], pts: float, row: dict[str, float]) -> None:
    """To the nearest face that this frame has not taken yet, or as a new one."""
    x, y, width = row["x"] + row["w"] / 2, row["y"] + row["h"] / 2, row["w"]
    free = [s for s in live if s.pts[-1] < pts]
    near = min(free, key=lambda s: np.hypot(x - s.place[0], y - s.place[1]), default=None)
    if near is None or np.hypot(x - near.place[0], y - near.place[1]) > near.place[2] / 2:
        near = Sighting([], [], [], (x, y, width))
        live.append(near)
    near.pts.append(pts)
    near.score.append(row["score"])
    mouth = np.hypot(row["rmouth_x"] - row["lmouth_x"], row["rmouth_y"] - row["lmouth_y"])
    eyes = np.hypot(row["reye_x"] - row["leye_x"], row["reye_y"] - row["leye_y"])
    near.mouth.append(float(mouth / max(eyes, 1.0)))
    near.place = x, y, width


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _print_detector(clips: Path) -> None:
    gaps: list[float] = []
    for name in CLIPS:
        for seen in sightings(clips, name):
            pts, score = np.array(seen.pts), np.array(seen.score)
            step = float(np.median(np.diff(pts)))
            lost = np.diff(pts) - step
            gaps += lost[lost > step / 2].tolist()
            quick = np.abs(np.array(seen.mouth) - np.median(seen.mouth))
            print(
                f"{name:<24} {len(pts):>4} readings  confidence {score.mean():.2f}"
                f" deviation {score.std():.3f} lowest twentieth {np.quantile(score, 0.05):.2f}"
                f" lasts {lasts(score, step):.2f} s"
                f"  r with the mouth's unrest {np.corrcoef(quick, score)[0, 1]:+.2f}"
                f"  lost {np.count_nonzero(lost > step / 2)} times"
            )
    logs = np.log(gaps)
    print(
        f"{len(gaps)} losses: median {np.median(gaps):.2f} s, deviation of the log"
        f" {logs.std():.2f}, longest {max(gaps):.2f} s"
    )


def _print_blendshapes(shared: Path) -> None:
    model = shared / "models" / "mediapipe" / "face_landmarker.task"
    for name in ALONE:
        series, step = blendshapes(model, shared / "clips" / name)
        for shape, values in series.items():
            if values.std() >= MOVES:
                white, quick, kept = trembling(values, step)
                print(
                    f"{name:<24} {shape:<16} deviation {values.std():.3f}  white {white:.3f}"
                    f"  faster than 0.6 s {quick:.3f}, of which {kept:+.2f} a picture later"
                )


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m calibration.memory.measure")
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    shared: Path = parser.parse_args(words).shared
    _print_detector(shared / "clips")
    try:
        _print_blendshapes(shared)
    except ModuleNotFoundError as missing:
        print(f"no blendshapes without {missing.name}: pip install mediapipe")


if __name__ == "__main__":
    main()
