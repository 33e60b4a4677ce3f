"""How fast films are read, as a share of decoding them alone, and where the time goes.

    python benchmarks/film.py --shared ../shared                      # all: some minutes
    python benchmarks/film.py --shared ../shared --only 720p-2 --compare bench.json
    python benchmarks/film.py --shared ../shared --only 720p-2 --face face-s-int8
    python benchmarks/film.py --shared ../shared --only 720p-2 --detector-size 640
    python benchmarks/film.py --shared ../shared --only 720p-2 --scene none

One table on the screen, the same figures in --out. Films are made once, in the system's folder
for temporary files. `measures.py` says what is measured, `films.py` on what.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path

import films
import measures

from tracker import Options

DEFAULT = Options()
STARTED = "720p-2"  # the film for start-up, memory and two at once
HEADS = {  # figure -> heading of the table
    "Mbit/s": "Mbit/s",
    "faces per frame": "faces",
    "decoding alone, frames/s": "decode fps",
    "emotrack, frames/s": "our fps",
    "share of decoding alone": "share",
    "processor time, times decoding alone": "CPU x",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--shared", type=Path, default=Path("../shared"))
    add("--only", nargs="+", choices=films.NAMES, default=films.NAMES, metavar="SIZE-FACES")
    add("--face", help="the network that reads faces")
    add("--detector-size", type=int, metavar="PX", help="long side of what the detector sees")
    add("--scene", default=DEFAULT.scene, metavar="NAME", help="the scene network, or none")
    add("--scene-interval", type=float, default=DEFAULT.scene_interval, metavar="S")
    add("--film", type=Path, help="measure this film instead")
    add("--rounds", type=int, default=3)
    add("--minutes", type=float, default=0.0, help="of film, for a second figure of memory")
    add("--out", type=Path, default=Path("bench.json"))
    add("--compare", type=Path, metavar="OLD.json", help="print ratios to an earlier run")
    given = parser.parse_args()
    folder = Path(tempfile.gettempdir()) / "emotrack-films"
    if given.film:
        made = {given.film.name: given.film}
    else:
        made = {name: films.film(name, given.shared / "clips", folder) for name in given.only}
    old = json.loads(given.compare.read_text("utf-8")) if given.compare else None
    found: dict[str, measures.Figures] = {}
    options = Options(
        face=given.face,
        detector_size=given.detector_size,
        scene=None if given.scene == "none" else given.scene,
        scene_interval=given.scene_interval,
    )
    for name, film in made.items():
        found[name] = measures.speed(film, given.rounds, options)
        if len(found) == 1:
            print(f"{'film':<12}" + "".join(f"{head:>12}" for head in HEADS.values()))
        print(f"{name:<12}" + "".join(f"{found[name][key]:12.2f}" for key in HEADS), flush=True)
    film = made.get(STARTED) or next(iter(made.values()))
    found["program"] = (
        measures.start_up(film) | measures.memory(film, given.minutes) | measures.two_at_once(film)
    )
    print_rest(found)
    given.out.write_text(json.dumps({"machine": machine(), "figures": found}, indent=1) + "\n")
    if old is not None:
        print_ratios(ratios(found, old["figures"]))


def print_rest(found: dict[str, measures.Figures]) -> None:
    """Stages in ms of processor time per frame, and the program's own figures."""
    start = "ms per frame: "
    keys = (key for row in found.values() for key in row if key.startswith(start))
    stages = list(dict.fromkeys(keys))  # each once, in the order of the first film that has it
    print("\nprocessor time per frame, ms")
    columns = [name for name in found if name != "program"]
    print(" " * 16 + "".join(f"{name[:11]:>12}" for name in columns))
    for stage in stages:
        cells = (found[name].get(stage) for name in columns)
        line = "".join(f"{'-':>12}" if value is None else f"{value:12.3f}" for value in cells)
        print(f"{stage.removeprefix(start):<16}{line}")
    print()
    for name, value in found["program"].items():
        print(f"{name:<48}{value:10.2f}")


def ratios(
    new: dict[str, measures.Figures], old: dict[str, measures.Figures]
) -> dict[str, measures.Figures]:
    """New over old, for what both measured and what was not 0."""
    return {
        film: {key: row[key] / old[film][key] for key in row if old[film].get(key)}
        for film, row in new.items()
        if film in old
    }


def print_ratios(found: dict[str, measures.Figures]) -> None:
    print("\nnew / old")
    for film, row in found.items():
        for key, ratio in row.items():
            print(f"{film:<12}{key:<48}{ratio:8.2f}")


def machine() -> dict[str, str]:
    """What the figures depend on."""
    packages = ("emotrack", "onnxruntime", "av", "numpy", "opencv-python-headless")
    return {
        "system": platform.system(),
        "processor": platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


if __name__ == "__main__":
    main()
