"""What two detectors saw in a picture, compared. `measure` says what counts as found and false."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from calibration.detector.teacher import Teacher, overlap
from tracker.detectors.boxes import Rows, fitted
from tracker.values import Detection, Image

SIZE = 320  # px, long side of the network's input, and of the teacher's
THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
Report = dict[str, float]


@dataclass(frozen=True)
class Look:
    """What both saw in one picture, in pixels of the teacher's input."""

    teacher: Rows  # score >= 0.3
    ours: Rows  # as its detector gives them


def measure(looks: Sequence[Look], threshold: float) -> Report:
    """Shares of one set of pictures at one threshold.

    found: of the teacher's faces at score >= .8 and side >= 24 px, those we box at IoU >= .5.
    weak_found: the same of all at score >= .6 and side >= 12 px.
    false: pictures with a box of ours that overlaps nothing the teacher sees at all (IoU < .1).
    slip: distance of a point of a found face from the teacher's, in widths of the face.
    """
    strong, weak, false = [], [], 0
    slips: list[float] = []
    for look in looks:
        ours = look.ours[look.ours[:, 14] >= threshold]
        iou = overlap(look.teacher[:, :4], ours[:, :4])
        best = iou.max(1) if len(ours) else np.zeros(len(look.teacher))
        size = look.teacher[:, 2:4] - look.teacher[:, :2]
        side, score = np.sqrt(size.prod(1)), look.teacher[:, 14]
        large = (score >= 0.8) & (side >= 24)
        strong.append(best[large] >= 0.5)
        weak.append(best[(score >= 0.6) & (side >= 12)] >= 0.5)
        false += bool(len(ours)) and bool((iou.max(0, initial=0) < 0.1).any())
        for at in np.flatnonzero(large & (best >= 0.5)):
            apart = (ours[iou[at].argmax(), 4:14] - look.teacher[at, 4:14]).reshape(5, 2)
            slips.append(float(np.hypot(*apart.T).mean() / size[at, 0]))
    faces, faint = (np.concatenate([*part, np.zeros(0, bool)]) for part in (strong, weak))
    return {
        "pictures": len(looks),
        "faces": len(faces),
        "found": float(faces.mean()) if len(faces) else float("nan"),
        "weak": len(faint),
        "weak_found": float(faint.mean()) if len(faint) else float("nan"),
        "false": false / max(1, len(looks)),
        "slip_median": float(np.median(slips)) if slips else float("nan"),
        "slip_mean": float(np.mean(slips)) if slips else float("nan"),
    }


def compare(
    images: Iterable[Image],
    detector: Callable[[Image], list[Detection]],
    teacher: Teacher,
    size: int = SIZE,
) -> list[Look]:
    """Both look at every picture, the teacher with its long side at `size` px."""
    return [_look(image, detector, teacher, size) for image in images]


def _look(
    image: Image, detector: Callable[[Image], list[Detection]], teacher: Teacher, size: int
) -> Look:
    small, (back_x, back_y) = fitted(image, size)
    width, height = image.shape[1] / back_x, image.shape[0] / back_y
    seen = teacher.look(small, 0.3)
    seen[:, 0:4:2] = seen[:, 0:4:2].clip(0, width)
    seen[:, 1:4:2] = seen[:, 1:4:2].clip(0, height)
    ours = np.zeros((0, 15), np.float32)
    if found := detector(image):
        rows = [
            (d.box.x0, d.box.y0, d.box.x1, d.box.y1, *np.ravel(d.points), d.score or 0.0)
            for d in found
        ]
        ours = np.asarray(rows, np.float32)
        ours[:, :14] /= np.tile(np.asarray((back_x, back_y), np.float32), 7)
    return Look(seen[(seen[:, 2:4] > seen[:, :2]).all(1)], ours)
