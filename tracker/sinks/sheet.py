"""One picture and, beside it, what each of its places adds to the readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.bars import cropped
from tracker.shading import LOWERS, RAISES, against_each_other, shaded
from tracker.sinks.base import write_whole
from tracker.sinks.scene_columns import OUTDOOR, best_place, score_of
from tracker.values import EMOTIONS, Image, SceneReading

LONGEST = 480  # px, of a panel's picture
NARROWEST = 330  # px, of a panel: its words need them
LINE, GAP = 24, 14  # px
PER_ROW = 3
EMOTIONS_SHOWN = 3  # the likeliest ones
SIZE = 0.52  # of the letters, as OpenCV counts
ELLIPSIS = "..."
PAPER, INK = (255, 255, 255), (25, 25, 25)


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A picture that was looked at; `scene` has its maps."""

    image: Image
    name: str
    pts: float | None  # s; a photo has no time
    scene: SceneReading


def drawn(moment: Moment) -> Image:
    """The sheet: the picture without its bars, valence, arousal, the likeliest emotions. RGB."""
    area = moment.scene.area
    image = _panel_sized(moment.image if area is None else cropped(moment.image, area))
    when = "" if moment.pts is None else f"  {moment.pts:.3f} s"
    title = _fitted(moment.name, when, max(image.shape[1], NARROWEST))
    panels = [_panel(image, [title, _where(moment.scene)])]
    panels += [_panel(shaded(image, added), words) for words, added in _parts(moment.scene)]
    rows = [panels[i : i + PER_ROW] for i in range(0, len(panels), PER_ROW)]
    return np.concatenate([*(_row(row) for row in rows), _legend(_row(rows[0]).shape[1])])


def write_picture(target: Path, image: Image) -> None:
    """image: RGB. The suffix says which format. Raises SinkError naming the file."""
    _, data = cv2.imencode(target.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    write_whole(target, data.tobytes())


def _parts(scene: SceneReading) -> list[tuple[list[str], NDArray[np.float32]]]:
    """Words and map of each panel beside the picture's own."""
    if scene.maps is None:
        return []
    maps = against_each_other(scene.maps)
    found = []
    if scene.affect is not None:
        for i, axis in enumerate(("valence", "arousal")):
            said = f"{axis} {getattr(scene.affect.raw, axis):+z.2f}"
            apart = scene.spread and f"SD between viewers {getattr(scene.spread, axis):.2f}"
            found.append(([said, apart or ""], maps[i]))
    if scene.emotions is not None:
        felt = sorted(zip(scene.emotions.values, scene.emotions.labels, strict=True), reverse=True)
        for value, label in felt[:EMOTIONS_SHOWN]:
            words = [f"{label} {value:.2f}", "against the other emotions"]
            found.append((words, maps[2 + EMOTIONS.index(label)]))
    return found


def _where(scene: SceneReading) -> str:
    outdoor = score_of(scene.place, OUTDOOR)
    label, score = best_place(scene.place)
    words = [] if outdoor is None else [f"outdoors {outdoor:.2f}"]
    return ", ".join([*words, *([] if label is None else [f"{label} {score:.2f}"])])


def _panel_sized(image: Image) -> Image:
    height, width = image.shape[:2]
    scale = LONGEST / max(height, width)
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(image, size_wh, interpolation=way), np.uint8)


def _panel(image: Image, lines: Sequence[str]) -> Image:
    """The picture below its words."""
    width = max(image.shape[1], NARROWEST)
    panel = _paper(image.shape[0] + len(lines) * LINE + GAP, width + GAP)
    for i, line in enumerate(lines):
        _write(panel, line, GAP, (i + 1) * LINE - 6, bold=i == 0)
    panel[len(lines) * LINE : len(lines) * LINE + image.shape[0], GAP : GAP + image.shape[1]] = (
        image
    )
    return panel


def _row(panels: Sequence[Image]) -> Image:
    height, width = panels[0].shape[:2]
    empty = [_paper(height, width)] * (PER_ROW - len(panels))
    return np.concatenate([*panels, *empty, _paper(height, GAP)], axis=1)


def _legend(width: int) -> Image:
    strip = _paper(LINE + GAP, width)
    x = GAP
    for colour, words in ((RAISES, "raises it"), (LOWERS, "lowers it")):
        strip[4:LINE, x : x + LINE] = colour
        _write(strip, words, x + LINE + 8, LINE - 6)
        x += 160
    _write(
        strip, "the densest colour is where most comes from, in each panel by itself", x, LINE - 6
    )
    return strip


def _paper(height: int, width: int) -> Image:
    return np.full((height, width, 3), PAPER, np.uint8)


def _fitted(name: str, when: str, width: int) -> str:
    """A name and a time in one bold line of `width` px: of a long name its two ends."""
    text = name + when
    for kept in range(len(name) - 1, 1, -1):
        if _width(text) <= width:
            break
        text = name[: (kept + 1) // 2] + ELLIPSIS + name[len(name) - kept // 2 :] + when
    return text


def _width(words: str) -> int:
    """px, of a bold line."""
    (width, _), _ = cv2.getTextSize(_letters(words), cv2.FONT_HERSHEY_SIMPLEX, SIZE, 2)
    return int(width)


def _letters(words: str) -> str:
    """What can be drawn: OpenCV 4 has no font for more than ASCII."""
    known = "utf-8" if hasattr(cv2, "FontFace") else "ascii"  # a name may be in no encoding
    return words.encode(known, "replace").decode(known)


def _write(paper: Image, words: str, x: int, y: int, *, bold: bool = False) -> None:
    font, weight = cv2.FONT_HERSHEY_SIMPLEX, 2 if bold else 1
    cv2.putText(paper, _letters(words), (x, y), font, SIZE, INK, weight, cv2.LINE_AA)
