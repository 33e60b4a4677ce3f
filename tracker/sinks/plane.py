"""Pictures in the plane of valence and arousal, as HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from tracker.sinks.scene_columns import strength
from tracker.values import Affect, FrameResult, Point, SceneReading

SIDE = 900  # px, of the plane
SMALLEST, LARGEST = 36, 130  # px, of a thumbnail in it
ROOM = 4  # times as many places as pictures: each then finds one near its value
REACH = 1.2  # times the size of a picture: how far it may stand from its dot
DOT = 30  # a dot has this share of the width of a place as its radius: 1.2 to 4.3 px
TICK = 0.25  # between two lines of the plane


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture of the sheet; its result has a scene."""

    result: FrameResult
    thumbnail: str  # a data URL
    aspect: float  # width / height

    @property
    def name(self) -> str:
        """As typed, but no folders that the reader of a page has no business to know."""
        path = Path(self.result.source)
        return path.name if path.is_absolute() else self.result.source

    @property
    def scene(self) -> SceneReading:
        assert self.result.scene is not None, "only pictures that were looked at are entries"
        return self.result.scene

    @property
    def raw(self) -> Affect:
        assert self.scene.affect is not None, "a report is refused for a network without affect"
        return self.scene.affect.raw


def spread_out(points: Sequence[Point], cell: float) -> list[Point | None]:
    """Where to put a square picture for each point so that none covers another: on the nearest
    free place of a grid, and None where that is farther than REACH; the first come first.

    points: x, y in 0..SIDE. cell: px.
    """
    count = int(SIDE // cell)
    middles = (np.arange(count) + 0.5) * SIDE / count
    free = np.array([(x, y) for y in middles for x in middles])
    found: list[Point | None] = []
    for point in points:
        far = np.hypot(*(free - point).T)
        best = int(far.argmin())
        near = far[best] <= REACH * cell
        found.append((float(free[best, 0]), float(free[best, 1])) if near else None)
        if near:
            free[best] = math.inf
    return found


def plane(entries: Sequence[Entry]) -> str:
    limit = _limit(entries)
    # Those farthest from neutral choose their places first: they are what one looks for.
    order = sorted(range(len(entries)), key=lambda i: -strength(entries[i].scene))
    points = [_point(entries[i].raw, limit) for i in order]
    cell = min(LARGEST, max(SMALLEST, SIDE / math.ceil(math.sqrt(ROOM * len(entries)))))
    centres = spread_out(points, cell)
    lines = "".join(
        _line(point, centre, _size(entries[i], cell))
        for i, point, centre in zip(order, points, centres, strict=True)
        if centre is not None
    )
    dots = "".join(_dot(i, entries[i], p, cell / DOT) for i, p in zip(order, points, strict=True))
    shown = "".join(
        _picture(i, entries[i], centre, cell)
        for i, centre in zip(order, centres, strict=True)
        if centre is not None
    )
    return (
        "<p>&uarr; exciting, &darr; calm; &rarr; pleasant, &larr; unpleasant</p>"
        f'<div class=plane style="width:{SIDE}px;height:{SIDE}px">'
        f"<svg width={SIDE} height={SIDE}>{_grid(limit)}</svg>{shown}"
        f"<svg class=over width={SIDE} height={SIDE}>{lines}{dots}</svg></div>"
    )


def _grid(limit: float) -> str:
    """Lines, and their numbers at the lower and the left edge, where pictures are rare."""
    parts = []
    for i in range(round(2 * limit / TICK) + 1):
        value = i * TICK - limit
        x, y = _point(Affect(value, value), limit)
        zero = "" if value else "class=zero"
        parts.append(
            f'<line {zero} x1="{x}" y1="0" x2="{x}" y2="{SIDE}"/>'
            f'<line {zero} x1="0" y1="{y}" x2="{SIDE}" y2="{y}"/>'
            f'<text x="{x + 4}" y="{SIDE - 4}">{f"{value:+g}" if value else "0"}</text>'
        )
        if i:  # the corner has its number
            parts.append(f'<text x="4" y="{y - 4}">{f"{value:+g}" if value else "0"}</text>')
    return "".join(parts)


def _dot(i: int, entry: Entry, point: Point, radius: float) -> str:
    return (
        f'<a href="#r{i}"><circle cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="{radius:.1f}">'
        f"<title>{_words(entry)}</title></circle></a>"
    )


def _line(dot: Point, centre: Point, size_wh: tuple[float, float]) -> str:
    """From a dot to the edge of its picture; nothing where it lies on it."""
    apart = centre[0] - dot[0], centre[1] - dot[1]
    within = max(2 * abs(apart[0]) / size_wh[0], 2 * abs(apart[1]) / size_wh[1])
    if within <= 1:
        return ""
    share = 1 - 1 / within
    x, y = dot[0] + share * apart[0], dot[1] + share * apart[1]
    return f'<line x1="{dot[0]:.1f}" y1="{dot[1]:.1f}" x2="{x:.1f}" y2="{y:.1f}"/>'


def _size(entry: Entry, cell: float) -> tuple[float, float]:
    """Width and height of a picture in its place, px."""
    return 0.94 * cell * min(1.0, entry.aspect), 0.94 * cell * min(1.0, 1 / entry.aspect)


def _picture(i: int, entry: Entry, centre: tuple[float, float], cell: float) -> str:
    width, height = _size(entry, cell)
    left, top = centre[0] - width / 2, centre[1] - height / 2
    return (
        f'<a class="t p{i}" href="#r{i}" title="{_words(entry)}" style="left:{left:.1f}px;'
        f'top:{top:.1f}px;width:{width:.1f}px;height:{height:.1f}px"></a>'
    )


def _limit(entries: Sequence[Entry]) -> float:
    """Where the plane ends on all four sides."""
    largest = max(max(abs(e.raw.valence), abs(e.raw.arousal)) for e in entries)
    return max(1, math.ceil(largest / TICK)) * TICK


def _point(affect: Affect, limit: float) -> Point:
    """px in the plane."""
    return (1 + affect.valence / limit) * SIDE / 2, (1 - affect.arousal / limit) * SIDE / 2


def _words(entry: Entry) -> str:
    result, said = entry.result, entry.raw
    when = f" {result.pts:.3f} s" if result.pts else ""
    return f"{escape(entry.name)}{when}: valence {said.valence:+z.2f}, arousal {said.arousal:+z.2f}"
