"""How far the readings of two face networks are apart on the clips with faces.

python -m calibration.face.apart --shared ../shared face-s face-s-int8

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
from tracker import Options, watch

SUMMARY = ("mean", "95 %", "99 %", "most")
Values = NDArray[np.float64]  # (faces, 4): valence and arousal, steadied and as they were read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("faces", nargs=2, metavar="NETWORK", help="name of a face network")
    given = parser.parse_args()
    print(f"{'':<26}{'faces':>7}" + "".join(f"{name:>9}" for name in SUMMARY))
    found = []
    for clip, distances in apart(given.shared / "clips", *given.faces):
        show(clip, distances[:, :2])
        found.append(distances)
    everything = np.concatenate(found)
    show("all", everything[:, :2])
    show("all, before steadying", everything[:, 2:])


def apart(folder: Path, one: str, other: str) -> Iterator[tuple[str, Values]]:
    """The name of each clip, and how far the two networks' readings of it are apart."""
    for clip in clips(folder):
        yield clip.name, np.abs(readings(clip, one) - readings(clip, other))


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


def readings(clip: Path, face: str) -> Values:
    results = watch(clip, Options(face=face, scene=None))
    affects = [person.affect for result in results for person in result.people]
    pairs = [(*pair(one.smooth), *pair(one.raw)) for one in affects]
    return np.array(pairs, np.float64).reshape(-1, 4)


def pair(affect: Any) -> tuple[float, float]:
    return affect.valence, affect.arousal


def show(name: str, distances: Values) -> None:
    figures = "".join(f"{value:9.4f}" for value in summary(distances).values())
    print(f"{name:<26}{len(distances):7}{figures}", flush=True)


if __name__ == "__main__":
    run(main)
