"""What is measured of one film, and of the program's start. All figures are of one run."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import av
from stages import Stages

import tracker
from tracker.run import follow, record
from tracker.sinks.rows import columns
from tracker.sinks.tables import csv_table
from tracker.sources import open_source

Figures = dict[str, float]
ANY = -1  # core

CHILD = """
import json, os, sys, time, tracker
from tracker.run import follow
from tracker.sources import open_source
film, loops, core = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if core >= 0:
    os.sched_setaffinity(0, {core})
peak = lambda: int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024
frames = 0
with tracker.build() as reader:
    for step in follow(open_source(film), reader):
        pass
    first, begin = peak(), time.perf_counter()
    for loop in range(loops):
        frames += sum(1 for step in follow(open_source(film), reader))
    seconds = time.perf_counter() - begin
print(json.dumps({"rate": frames / max(seconds, 1e-9), "first": first, "last": peak()}))
"""


def speed(film: Path, rounds: int, options: tracker.Options) -> Figures:
    """Pure decoding and the whole way to a CSV in turn, so that a busy machine slows both; and
    the processor time of every stage per frame."""
    alone, ours = [], []
    faces, frames = 0.0, 0
    with tempfile.TemporaryDirectory() as folder, tracker.build(options) as reader:
        table = Path(folder) / "out.csv"
        read(film, reader, table)
        for _ in range(rounds):
            begin = _now()
            frames = decode(film)
            alone.append(_since(begin))
            begin = _now()
            faces = read(film, reader, table)
            ours.append(_since(begin))
        stages, rest = by_stage(film, table, options)
    pure, pure_busy = (statistics.median(column) for column in zip(*alone, strict=True))
    whole, whole_busy = (statistics.median(column) for column in zip(*ours, strict=True))
    return {
        "Mbit/s": film.stat().st_size * 8 / 1e6 / (frames / tracked_rate(film)),
        "faces per frame": faces,
        "decoding alone, frames/s": frames / pure,
        "emotrack, frames/s": frames / whole,
        "share of decoding alone": pure / whole,
        "processor time, times decoding alone": whole_busy / pure_busy,
        "ms per frame: decoding alone": pure_busy / frames * 1e3,
        **{f"ms per frame: {name}": value / frames * 1e3 for name, value in stages.items()},
        "ms per frame: rest": rest / frames * 1e3,
        "ms per frame: all of emotrack": whole_busy / frames * 1e3,
    }


def decode(film: Path) -> int:
    """Frames of the film, decoded with PyAV and nothing else."""
    with av.open(str(film)) as box:
        box.streams.video[0].thread_type = "AUTO"
        return sum(1 for _ in box.decode(video=0))


def tracked_rate(film: Path) -> float:
    with av.open(str(film)) as box:
        return float(box.streams.video[0].average_rate or 25)


def read(film: Path, reader: tracker.Tracker, table: Path) -> float:
    """Faces per frame; writes the table."""
    header = columns(mesh=reader.mesh, context=reader.context, scene=reader.reads_scene)
    sink = csv_table(str(table), header)
    steps = record(follow(open_source(film), reader), [sink])
    return statistics.mean(len(step.result.people) for step in steps)


def by_stage(film: Path, table: Path, options: tracker.Options) -> tuple[Figures, float]:
    """Seconds of each stage over the film, and of all that is in none of them."""
    begin = time.process_time()
    for _ in open_source(film):
        pass
    decoding = time.process_time() - begin
    with Stages() as stages, tracker.build(options) as reader:
        stages.seconds.clear()
        begin = time.process_time()
        read(film, reader, table)
        whole = time.process_time() - begin
    found = {"decode to RGB": decoding, **dict(sorted(stages.seconds.items()))}
    return found, max(0.0, whole - sum(found.values()))


def start_up(film: Path) -> Figures:
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


def memory(film: Path, minutes: float) -> Figures:
    """Peak of a process that reads the film once, and over and over for so many minutes of it."""
    (child,) = children(film, [ANY], loops=round(minutes * 60 * tracked_rate(film) / decode(film)))
    figures = {"peak memory, MiB": child["first"]}
    if minutes:
        figures[f"peak memory after {minutes:g} min of film, MiB"] = child["last"]
    return figures


def two_at_once(film: Path) -> Figures:
    """Frames a second of two processes together, against one alone: on all cores, which one may
    fill already; and each on a core of its own, where the system can hold them there."""
    figures = {"two films at once, times the frames/s of one": _gain(film, (ANY,))}
    if hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) > 1:
        figures["two films at once, a core each, times one"] = _gain(
            film, sorted(os.sched_getaffinity(0))[:2]
        )
    return figures


def _gain(film: Path, cores: Sequence[int]) -> float:
    one = sum(child["rate"] for child in children(film, cores[:1], loops=3))
    two = sum(child["rate"] for child in children(film, [cores[0], cores[-1]], loops=3))
    return two / one


def children(film: Path, cores: Sequence[int], loops: int) -> list[dict[str, float]]:
    """What a process on each of these cores says; ANY: wherever the system likes."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(film), str(loops), str(core)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for core in cores
    ]
    said = [child.communicate()[0] for child in started]
    return [json.loads(text) for text in said]


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(begin: tuple[float, float]) -> tuple[float, float]:
    """Seconds on the wall and of all processors."""
    return time.perf_counter() - begin[0], time.process_time() - begin[1]
