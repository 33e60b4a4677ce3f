"""Pictures of where the scene network's opinion of a photo comes from.

python -m calibration.scene.explain photo.jpg --out folder

Writes maps.png (the runtime's own maps), integrated.png (integrated gradients) and
dream_valence.png, dream_arousal.png (the photo itself, changed to evoke less and more).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from calibration.samples import RecipeError, run
from calibration.scene.gradients import ascended, integrated, total_of
from calibration.scene.material import SIZE
from calibration.scene.network import SceneNetwork
from calibration.scene.pictures import squashed
from calibration.scene.shipped import restored
from tracker.models import open_shipped
from tracker.shading import against_each_other, shaded
from tracker.sources import SourceError
from tracker.sources.photos import read_photo
from tracker.values import EMOTIONS, Image

OUTPUTS = ("valence", "arousal", *EMOTIONS)
AXES = 2  # of them: valence and arousal
SHOWN = 320  # px, height of a picture
LINE = 26  # px, of the words above it
GRAIN = 4.0  # px: integrated gradients are summed over this neighbourhood to be seen


@dataclass(frozen=True, eq=False)
class _Look:
    network: SceneNetwork
    frame: Tensor  # (1, 3, SIZE, SIZE)
    shown: Image  # the photo in its own shape
    words: list[str]  # what is said of each of OUTPUTS
    maps: NDArray[np.float32]  # of each of OUTPUTS


def explain(photo: Path, out: Path, model: Path) -> list[Path]:
    """The written pictures. Raises RecipeError if the photo cannot be read."""
    try:
        look = _look(read_photo(photo), model)
    except SourceError as wrong:
        raise RecipeError(f"{photo}: {wrong}") from wrong
    out.mkdir(parents=True, exist_ok=True)
    pictures = {"maps": _maps(look), "integrated": _integrated(look)}
    pictures |= {f"dream_{OUTPUTS[k]}": _dream(look, k) for k in range(AXES)}
    return [_write(out / f"{name}.png", image) for name, image in pictures.items()]


def _look(image: Image, model: Path) -> _Look:
    network = restored(model).requires_grad_(False)
    frame = torch.from_numpy(squashed(image, (SIZE, SIZE))).permute(2, 0, 1)[None] / 127.5 - 1
    said = network(frame)
    words = [f"{name} {value:+.2f}" for name, value in zip(OUTPUTS, said.affect[0], strict=False)]
    words += [f"{name} {share:.2f}" for name, share in zip(EMOTIONS, said.emotions[0], strict=True)]
    shown = squashed(image, (SHOWN, round(SHOWN * image.shape[1] / image.shape[0])))
    return _Look(network, frame, shown, words, against_each_other(said.maps[0].numpy()))


def _maps(look: _Look) -> Image:
    pairs = zip(look.maps, look.words, strict=True)
    return grid([titled(shaded(look.shown, added), words) for added, words in pairs], 5)


def _integrated(look: _Look) -> Image:
    tiles = [titled(look.shown, "photo")]
    for k in range(AXES):
        fine, change = integrated(look.network, look.frame, k)
        print(f"{OUTPUTS[k]}: {change:+.3f} beside out of focus; the pixels add {fine.sum():+.3f}")
        seen = np.asarray(cv2.GaussianBlur(fine, (0, 0), GRAIN), np.float32)
        tiles.append(titled(shaded(look.shown, seen), f"{OUTPUTS[k]} {change:+.2f} by detail"))
    return grid(tiles, len(tiles))


def _dream(look: _Look, output: int) -> Image:
    """Less, as it is, more."""
    tiles = [titled(look.shown, look.words[output])]
    for sign in (-1.0, 1.0):
        dream = ascended(look.network, look.frame, output, sign)
        total = float(total_of(look.network, dream, output)[0])
        picture = ((dream[0].permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8)
        tile = titled(squashed(picture, look.shown.shape[:2]), f"{OUTPUTS[output]} {total:+.2f}")
        tiles = [tile, *tiles] if sign < 0 else [*tiles, tile]
    return grid(tiles, len(tiles))


def titled(image: Image, words: str) -> Image:
    band = np.full((LINE, image.shape[1], 3), 255, np.uint8)
    cv2.putText(band, words, (6, LINE - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 1)
    return np.concatenate([band, image])


def grid(tiles: Sequence[Image], columns: int) -> Image:
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows)


def _write(path: Path, image: Image) -> Path:
    if not cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR)):
        raise OSError(f"{path}: cannot be written")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=None)
    args: Any = parser.parse_args()
    torch.set_num_threads(1)
    for path in explain(args.photo, args.out, args.model or open_shipped("scene-s").path):
        print(path)


if __name__ == "__main__":
    run(main)
