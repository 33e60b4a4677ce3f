"""How fresh a live run is, and what it costs: the command itself on a long film, as if by a camera.

    python benchmarks/live.py --shared ../shared --minutes 30
    python benchmarks/live.py --shared ../shared --minutes 30 -- --show   # words for emotrack

The film is one clip with one face, 720p, 30 frames a second, over and over. Linux only: memory is
read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import VideoFrame

CLIP = "crying_woman_pexels.mp4"  # one face in every frame
WIDTH, HEIGHT, RATE = 1280, 720, 30
TICK = Fraction(1, RATE)
SETTLED = 60.0  # s after which memory should stay as it is; of a shorter run, half
BETWEEN = 1.0  # s between two looks at the memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("words", nargs="*", help="more words for emotrack, after --")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = looped(given.shared / "clips" / CLIP, Path(folder) / "film.mp4", given.minutes)
        rows = measured(film, Path(folder) / "out.csv", given.words, 60 * given.minutes)
    for name, value in rows.items():
        print(f"{name:<40} {value:9.3f}")
    print(json.dumps(rows))


def looped(clip: Path, target: Path, minutes: float) -> Path:
    """The clip enlarged and encoded once, then written as often as fits."""
    frames = round(60 * RATE * minutes)
    with av.open(str(target), "w") as box:
        stream = box.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "23", "bf": "0"}
        stream.time_base = stream.codec_context.time_base = TICK
        packets = [p for frame in enlarged(clip) for p in stream.encode(frame)]
        packets += stream.encode(None)
        for i in range(frames):
            packet = packets[i % len(packets)]
            packet.pts = packet.dts = i
            packet.time_base = TICK
            box.mux(packet)
    return target


def enlarged(clip: Path) -> Iterator[VideoFrame]:
    with av.open(str(clip)) as box:
        for i, frame in enumerate(box.decode(video=0)):
            large = frame.reformat(WIDTH, HEIGHT, "yuv420p", interpolation="BICUBIC")
            large.pts, large.time_base = i, TICK
            yield large


def measured(film: Path, table: Path, words: list[str], seconds: float) -> dict[str, float]:
    command = [sys.executable, "-m", "tracker", str(film), "--live", "--csv", str(table), *words]
    began = time.monotonic()
    running = subprocess.Popen(command)
    memory: list[tuple[float, float]] = []  # s since the start, MiB
    while os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        memory.append((time.monotonic() - began, resident(running.pid)))
        time.sleep(BETWEEN)
    wall = time.monotonic() - began
    _, status, used = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        sys.exit(f"emotrack ended with exit code {running.returncode}")
    run = json.loads(table.with_suffix(".meta.json").read_text("utf-8"))["run"]
    settled = min(SETTLED, seconds / 2)
    later = [mib for when, mib in memory if when >= settled and mib]
    tenth = max(1, len(later) // 10)
    first, last = statistics.median(later[:tenth]), statistics.median(later[-tenth:])
    return {
        "minutes": wall / 60,
        "frames read": run["frames"],
        "dropped, share": run["dropped"] / (run["frames"] + run["dropped"]),
        "latency p50, ms": 1e3 * run["latency_median"],
        "latency p95, ms": 1e3 * run["latency_p95"],
        "latency max, ms": 1e3 * run["latency_max"],
        "cores used": (used.ru_utime + used.ru_stime) / wall,
        f"memory of its own after {settled:.0f} s, MiB": first,
        "growth of that to the end, MiB": last - first,
    }


def resident(pid: int) -> float:
    """MiB that belong to this process alone; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(found[0]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
