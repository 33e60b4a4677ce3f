"""How far the readings of two face networks are apart on the clips with faces.

python -m calibration.face.apart --shared ../shared face-s face-s-int8
python -m calibration.face.apart --shared ../shared face-s face-s --rgb

--rgb shows the second one the same pictures rounded to RGB: nothing less than that distance means
anything, for another decoder does as much.
Of valence and arousal together, of everyone in every frame: the mean, what 95 % and 99 % are below,
and the most; of the steadied values clip by clip, then of all, then of the values before steadying.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.samples import run
from tracker import Options, build
from tracker.sources import open_source

SUMMARY = ("mean", "95 %", "99 %", "most")
Values = NDArray[np.float64]  # (faces, 4): valence and arousal, steadied and as they were read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("faces", nargs=2, metavar="NETWORK", help="name of a face network")
    parser.add_argument("--rgb", action="store_true", help="pictures in RGB for the second")
    given = parser.parse_args()
    found: list[Values] = []
    for clip, distances in apart(given.shared / "clips", *given.faces, rgb=given.rgb):
        if not found:
            print(f"{'':<26}{'faces':>7}" + "".join(f"{name:>9}" for name in SUMMARY))
        show(clip, distances[:, :2])
        found.append(distances)
    everything = np.concatenate(found)
    show("all", everything[:, :2])
    show("all, before steadying", everything[:, 2:])


def apart(folder: Path, one: str, other: str, *, rgb: bool = False) -> Iterator[tuple[str, Values]]:
    """The name of each clip, and how far the two networks' readings of it are apart, in frames in
    which both see as many faces."""
    for clip in clips(folder):
        both = zip(readings(clip, one), readings(clip, other, rgb=rgb), strict=True)
        distances = [np.abs(a - b) for a, b in both if len(a) == len(b)]
        yield clip.name, np.concatenate(distances)


def summary(distances: Values) -> dict[str, float]:
    """SUMMARY, of all values together; empty where there is none."""
    if not distances.size:
        return {}
    tails = (float(np.quantile(distances, share)) for share in (0.95, 0.99, 1))
    return dict(zip(SUMMARY, (float(distances.mean()), *tails), strict=True))


def clips(folder: Path) -> list[Path]:
    """Those in which somebody saw human faces."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["has_faces"] == "1"]
    return [folder / row["file"] for row in rows if "/" not in row["file"]]


def readings(clip: Path, face: str, *, rgb: bool = False) -> list[Values]:
    """Of every frame."""
    found = []
    with build(Options(face=face, scene=None)) as tracker:
        for frame in open_source(clip):
            people = tracker.push(frame.image if rgb else frame.picture, frame.pts).people
            rows = [(*pair(p.affect.smooth), *pair(p.affect.raw)) for p in people]
            found.append(np.array(rows, np.float64).reshape(-1, 4))
    return found


def pair(affect: Any) -> tuple[float, float]:
    return affect.valence, affect.arousal


def show(name: str, distances: Values) -> None:
    figures = "".join(f"{value:9.4f}" for value in summary(distances).values())
    print(f"{name:<26}{len(distances):7}{figures}", flush=True)


if __name__ == "__main__":
    run(main)
