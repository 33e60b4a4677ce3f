"""The face in each frame of a video, cut out as the network saw faces, beside what raters said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from calibration.poster.fit import Examples
from calibration.poster.recola import RecolaError, Recording
from tracker.crops import Template, aligned
from tracker.sources import Span, open_source
from tracker.values import Detection, Image

Find = Callable[[Image], list[Detection]]  # as tracker.detectors.Detector: best first


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The frames of a video, and the faces of those that show one."""

    pts: NDArray[np.float64]  # (n,), s, of all frames
    found: NDArray[np.bool_]  # (n,)
    crops: NDArray[np.uint8]  # (m, 1, S, S), grey; m frames with a face


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """A recording's frames, and the ratings that belong to them."""

    name: str
    split: str
    seen: Seen
    rated: NDArray[np.float64]  # (n, 6), nan where nobody rated


def look(video: Path, find: Find, template: Template, every: float | None = None) -> Seen:
    """The best face of each frame: RECOLA films one person. every: s between frames; None: all.

    Raises SourceError naming the video if it cannot be read.
    """
    pts, found, crops = [], [], []
    for frame in open_source(video, Span(every=every)):
        faces = find(frame.image)
        pts.append(frame.pts)
        found.append(bool(faces))
        if faces:
            crops.append(aligned(frame.image, faces[0], template).round().astype(np.uint8))
    size = (template.channels, template.size, template.size)
    stacked = np.stack(crops) if crops else np.empty((0, *size), np.uint8)
    return Seen(np.array(pts), np.array(found, np.bool_), stacked)


def watch(
    recording: Recording, find: Find, template: Template, delay: float, every: float | None = None
) -> Watched:
    """delay: s between a frame and the ratings that belong to it."""
    seen = look(recording.video, find, template, every)
    rated = recording.ratings.of_frames(seen.pts, delay)
    return Watched(recording.name, recording.split, seen, rated)


def examples_of(watched: Sequence[Watched], split: str) -> Examples:
    """The frames of a split with a face and ratings. Raises RecolaError if there are none."""
    crops, targets = [], []
    for one in (w for w in watched if w.split == split):
        known: NDArray[np.bool_] = np.asarray(np.isfinite(one.rated).all(1))
        crops.append(one.seen.crops[known[one.seen.found]])
        targets.append(one.rated[one.seen.found & known])
    if not sum(map(len, crops)):
        raise RecolaError(f"no frame of the {split} split has a face and ratings")
    faces = torch.from_numpy(np.concatenate(crops))
    return Examples(faces, torch.from_numpy(np.concatenate(targets)).float())
