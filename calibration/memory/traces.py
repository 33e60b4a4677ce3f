"""Human emotion traces over time, and what each of them may be used for."""

from __future__ import annotations

import bisect
import csv
import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHORTEST = 10.0  # s; below this a trace is little more than its own beginning
NEWS_START = 5.0  # s; the raters' marker began at a random place and needs this long to arrive


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One series of affect. An axis that nobody rated is nan from end to end."""

    name: str
    pts: NDArray[np.float64]  # (n,) s, rising from 0
    values: NDArray[np.float32]  # (n, 2) valence, arousal, [-1, 1]
    held_out: bool  # never seen by a training that ships


def read_forrest_gump(folder: Path) -> list[Trace]:
    """What each character shows in each scene, as the share of nine observers; steps of 1 s.

    Every fifth scene is held out: all of its characters, because they react to each other.
    """
    starts = [float(row["start_s"]) for row in _rows(folder / "scenes.csv")]
    seconds: dict[tuple[str, int], dict[int, tuple[str, str]]] = {}
    for row in _rows(folder / "agreement_1s_av_by_character.csv.gz"):
        second = int(float(row["t_s"]))
        key = row["character"], bisect.bisect_right(starts, second)
        seconds.setdefault(key, {})[second] = row["valence"], row["arousal"]
    traces = []
    for (character, scene), marks in seconds.items():
        clock = range(min(marks), max(marks) + 1)
        values = np.array([marks.get(t, ("0", "0")) for t in clock], np.float32)
        name = f"{character}/{scene}"
        traces.append(_trace(name, np.arange(len(values)), values.T, held_out=scene % 5 == 4))
    return _long_enough(traces)


def read_news_valence(folder: Path) -> list[Trace]:
    """Mean felt valence of TV-news clips, steps of 0.5 s, no arousal. Every fifth is held out."""
    clips: dict[int, list[tuple[float, float]]] = {}
    for row in _rows(folder / "valence_0.5s.csv"):
        if float(row["t_s"]) >= NEWS_START:
            mark = float(row["t_s"]), float(row["valence"])
            clips.setdefault(int(row["video"]), []).append(mark)
    traces = []
    for clip, marks in clips.items():
        pts, valence = np.array(marks).T
        values = np.stack([(valence - 5) / 4, np.full_like(valence, np.nan)])  # 1..9
        traces.append(_trace(str(clip), pts, values, held_out=clip % 5 == 4))
    return _long_enough(traces)


def read_ceap_360vr(folder: Path) -> list[Trace]:
    """Felt affect by joystick, about 8.3 readings a second. CC BY-NC: not for shipped weights."""
    with np.load(folder / "annotations.npz") as file:
        people, videos, pts = file["participant"], file["video"], file["t_s"]
        values = (np.stack([file["valence"], file["arousal"]]) - 5) / 4  # 1..9
    traces = []
    for person, video in sorted(set(zip(people.tolist(), videos.tolist(), strict=True))):
        mine = np.flatnonzero((people == person) & (videos == video))
        mine = mine[np.diff(pts[mine], prepend=-np.inf) > 0]
        traces.append(_trace(f"{person}/{video}", pts[mine], values[:, mine], held_out=True))
    return _long_enough(traces)


def read_liris_continuous(folder: Path) -> list[Trace]:
    """Mean felt affect of 20 films, steps of 1 s. EVALUATION ONLY: never fitted, never tuned on."""
    traces = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as film:
            values = np.stack([film["valence_mean"], film["arousal_mean"]])
            traces.append(_trace(path.stem, film["t_s"], values, held_out=True))
    return _long_enough(traces)


READERS: dict[str, Callable[[Path], list[Trace]]] = {  # by the name of the folder
    "forrest_gump": read_forrest_gump,
    "news_valence": read_news_valence,
    "ceap_360vr": read_ceap_360vr,
    "liris_continuous": read_liris_continuous,
}
MAY_TRAIN = ("forrest_gump", "news_valence")  # the others' licences do not allow shipped weights


def training_traces(shared: Path) -> list[Trace]:
    """Every trace that the shipped weights may be fitted on."""
    read = (READERS[name](shared / "data" / "traces" / name) for name in MAY_TRAIN)
    return [trace for traces in read for trace in traces if not trace.held_out]


def held_out_traces(shared: Path) -> dict[str, list[Trace]]:
    """What no training has seen, by the name of its set."""
    read = {name: READERS[name](shared / "data" / "traces" / name) for name in READERS}
    return {name: [t for t in traces if t.held_out] for name, traces in read.items()}


def value_at(trace: Trace, pts: NDArray[np.float64]) -> NDArray[np.float32]:
    """(n, 2): the trace at times of its own clock, straight lines between its points."""
    axes = [np.interp(pts, trace.pts, trace.values[:, axis]) for axis in range(2)]
    return np.stack(axes, axis=1).astype(np.float32)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _trace(name: str, pts: NDArray[Any], values: NDArray[Any], *, held_out: bool) -> Trace:
    """values: (2, n)."""
    pts = np.asarray(pts, np.float64)
    return Trace(name, pts - pts[0], np.clip(values.T, -1, 1).astype(np.float32), held_out)


def _long_enough(traces: list[Trace]) -> list[Trace]:
    return [trace for trace in traces if trace.pts[-1] >= SHORTEST]
