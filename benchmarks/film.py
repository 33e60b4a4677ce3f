"""How fast a 720p film with two faces is read, as a share of decoding it alone.

    python benchmarks/film.py --shared ../shared

Decoding and tracking alternate in one run, so that a busy machine slows both; medians of
--rounds. Also the start-up times and the memory that the promises of README are about.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

import tracker

LEFT, RIGHT = "crying_woman_pexels.mp4", "single_face.mp4"  # one face each
SIZE_WH = (1280, 720)
FRAMES = 600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--film", type=Path, help="measure this film instead")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=30.0, help="of film, for the memory row")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = given.film or two_faces(given.shared / "clips", Path(folder) / "two_faces.mp4")
        rows = speed(film, given.rounds) | start_up(film) | memory(film, given.minutes)
    for name, value in rows.items():
        print(f"{name:<48} {value:8.3f}")
    print(json.dumps(rows))


def two_faces(clips: Path, target: Path) -> Path:
    """Two clips side by side, H.264 at 25 frames/s."""
    halves = [pictures(clips / name, SIZE_WH[0] // 2, SIZE_WH[1]) for name in (LEFT, RIGHT)]
    with av.open(str(target), "w") as box:
        stream = box.add_stream("libx264", rate=Fraction(25))
        stream.width, stream.height = SIZE_WH
        stream.pix_fmt = "yuv420p"
        for i in range(FRAMES):
            both = np.concatenate([half[i % len(half)] for half in halves], axis=1)
            box.mux(stream.encode(av.VideoFrame.from_ndarray(both, format="rgb24")))
        box.mux(stream.encode(None))
    return target


def pictures(path: Path, width: int, height: int) -> list[np.ndarray]:
    """All frames, enlarged to the height and cut to the width around the middle."""
    found = []
    with av.open(str(path)) as box:
        for frame in box.decode(video=0):
            image = frame.to_ndarray(format="rgb24")
            scale = max(width / image.shape[1], height / image.shape[0])
            large = cv2.resize(image, None, fx=scale, fy=scale)
            x = (large.shape[1] - width) // 2
            found.append(large[:height, x : x + width])
    return found


def decode(film: Path) -> tuple[float, int]:
    """Seconds to decode the film with PyAV and nothing else, and its frames."""
    begin = time.perf_counter()
    with av.open(str(film)) as box:
        box.streams.video[0].thread_type = "AUTO"
        count = sum(1 for _ in box.decode(video=0))
    return time.perf_counter() - begin, count


def track(film: Path, reader: tracker.Tracker) -> tuple[float, float]:
    """Seconds to read the film, and faces per frame."""
    from tracker.pipeline import follow
    from tracker.sources import open_source

    begin = time.perf_counter()
    people = [len(step.result.people) for step in follow(open_source(film), reader)]
    seconds = time.perf_counter() - begin
    return seconds, statistics.mean(people)


def speed(film: Path, rounds: int) -> dict[str, float]:
    alone, ours, faces, frames = [], [], 0.0, 0
    with tracker.build() as reader:
        track(film, reader)
        for _ in range(rounds):
            seconds, frames = decode(film)
            alone.append(seconds)
            seconds, faces = track(film, reader)
            ours.append(seconds)
    pure, whole = statistics.median(alone), statistics.median(ours)
    return {
        "faces per frame": faces,
        "decoding alone, frames/s": frames / pure,
        "emotrack, frames/s": frames / whole,
        "emotrack, share of decoding alone": pure / whole,
    }


def start_up(film: Path) -> dict[str, float]:
    program = [sys.executable, "-m", "tracker"]
    helps, firsts = [], []
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run([*program, "--help"], check=True, stdout=subprocess.DEVNULL)
        helps.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        with subprocess.Popen(
            [*program, str(film), "--jsonl", "-"], stdout=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout is not None
            running.stdout.readline()
            firsts.append(time.perf_counter() - begin)
            running.kill()
    return {
        "emotrack --help, s": statistics.median(helps),
        "first row after start, s": statistics.median(firsts),
    }


def memory(film: Path, minutes: float) -> dict[str, float]:
    """Peak of a process that reads the film over and over, after one pass and after all."""
    code = (
        "import sys, tracker\n"
        "from tracker.pipeline import follow\n"
        "from tracker.sources import open_source\n"
        "film, loops = sys.argv[1], int(sys.argv[2])\n"
        "with tracker.build() as reader:\n"
        "    for loop in range(loops):\n"
        "        for step in follow(open_source(film), reader): pass\n"
        "        if loop in (0, loops - 1):\n"
        "            status = open('/proc/self/status').read()\n"
        "            print(int(status.split('VmHWM:')[1].split()[0]) / 1024)\n"
    )
    loops = max(2, round(minutes * 60 * 25 / decode(film)[1]))
    ran = subprocess.run(
        [sys.executable, "-c", code, str(film), str(loops)],
        check=True,
        capture_output=True,
        text=True,
    )
    first, last = map(float, ran.stdout.split())
    return {"peak memory, first minute, MiB": first, f"after {minutes:g} minutes, MiB": last}


if __name__ == "__main__":
    main()
