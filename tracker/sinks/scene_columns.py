"""Columns of what the picture does to its viewer: the latest look, in every row, and its age."""

from __future__ import annotations

import math
from collections.abc import Callable

from tracker.sinks.column import Cell, Column, axis
from tracker.values import EMOTIONS, Affect, FrameResult, SceneReading, Scores

POSITIVE = EMOTIONS[:4]  # amusement, awe, contentment, excitement: Mikels et al. (2005)
OUTDOOR = "outdoor"


def scene_columns() -> list[Column]:
    return [
        Column("scene_cut", "0 or 1", 0, lambda r, _: int(r.cut)),
        _of_scene("scene_timestamp", "s", 6, lambda s: s.pts),
        Column("scene_age", "s", 6, lambda r, _: None if r.scene is None else r.pts - r.scene.pts),
        *_pair("", "-1..1", lambda s: None if s.affect is None else s.affect.smooth),
        *_pair("_raw", "-1..1", lambda s: None if s.affect is None else s.affect.raw),
        *_pair("_cal", "-1..1", lambda s: None if s.affect is None else s.affect.calibrated),
        *_pair("_spread", "SD between viewers", lambda s: s.spread),
        *(_probability(f"scene_{label}", label) for label in EMOTIONS),
        _of_scene("scene_positive", "0..1", 4, lambda s: positive(s.emotions)),
        _of_scene("scene_outdoor", "0..1", 4, lambda s: score_of(s.place, OUTDOOR)),
        _of_scene("scene_place", "label", 0, lambda s: best_place(s.place)[0], words=True),
        _of_scene("scene_place_score", "0..1", 4, lambda s: best_place(s.place)[1]),
    ]


def positive(emotions: Scores | None) -> float | None:
    """How likely the picture is a pleasant one: the four positive emotions together, [0, 1]."""
    if emotions is None:
        return None
    return sum(v for k, v in zip(emotions.labels, emotions.values, strict=True) if k in POSITIVE)


def score_of(scores: Scores | None, label: str) -> float | None:
    if scores is None or label not in scores.labels:
        return None
    return scores.values[scores.labels.index(label)]


def best_place(place: Scores | None) -> tuple[str, float] | tuple[None, None]:
    """The likeliest type of place and its probability. Outdoor is no type: it stands beside."""
    if place is None:
        return None, None
    types = [p for p in zip(place.values, place.labels, strict=True) if p[1] != OUTDOOR]
    if not types:
        return None, None
    value, label = max(types)
    return label, value


def strength(scene: SceneReading) -> float:
    """How far from neutral this picture alone is, in the plane of valence and arousal."""
    if scene.affect is None:
        return 0.0
    return math.hypot(scene.affect.raw.valence, scene.affect.raw.arousal)


def _of_scene(
    name: str,
    unit: str,
    decimals: int,
    read: Callable[[SceneReading], Cell],
    *,
    words: bool = False,
) -> Column:
    """Empty until a scene was seen."""

    def of_scene(result: FrameResult, _: object) -> Cell:
        return None if result.scene is None else read(result.scene)

    return Column(name, unit, decimals, of_scene, words=words)


def _pair(kind: str, unit: str, read: Callable[[SceneReading], Affect | None]) -> list[Column]:
    return [
        _of_scene(f"scene_valence{kind}", unit, 4, lambda s: axis(read(s), "valence")),
        _of_scene(f"scene_arousal{kind}", unit, 4, lambda s: axis(read(s), "arousal")),
    ]


def _probability(name: str, label: str) -> Column:
    return _of_scene(name, "0..1", 4, lambda s: score_of(s.emotions, label))
