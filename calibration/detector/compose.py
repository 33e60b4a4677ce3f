"""How a canvas is made: composed of faces and scenes, or cut from something real.

Read `canvas` first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np

from calibration.detector.material import Material, decoded
from tracker.values import Image

WIDTH, HEIGHT = 384, 320  # px of a canvas
Random = np.random.Generator


def canvas(rng: Random, material: Material) -> Image:
    """One clean picture of WIDTH x HEIGHT: composed, or cut from something real."""
    kinds: Sequence[Callable[[Random, Material], Image]] = (
        composite,
        collage,
        film,
        closeup,
        peopled,
        plain,
    )
    return kinds[rng.choice(len(kinds), p=material.mix)](rng, material)


def composite(rng: Random, material: Material) -> Image:
    """Faces and other things set into a scene the same way, so that the paste is no cue."""
    picture = background(rng, material)
    crowd = rng.random() < 0.4
    count = int(rng.integers(5, 18)) if crowd else int(rng.integers(0, 5))
    low, high = (13, 55) if crowd else (18, 330)
    sizes = np.exp(rng.uniform(np.log(low), np.log(high), count))
    for size in -np.sort(-sizes):  # small ones last: they stay visible
        if rng.random() < 0.5:
            paste_body(rng, material, picture, float(size))
        else:
            paste(rng, picture, face(rng, material, float(size)), float(size))
        if rng.random() < 0.4:
            other = float(size * rng.uniform(0.5, 1.5))
            paste(rng, picture, thing(rng, material), other)
    return picture


def collage(rng: Random, material: Material) -> Image:
    """Whole photographs side by side: what surrounds a head is real."""
    rows = int(rng.integers(1, 6))
    columns = round(rows * WIDTH / HEIGHT * rng.uniform(0.8, 1.5))
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    ys = np.linspace(0, HEIGHT, rows + 1).astype(int)
    for y0, y1 in pairwise(ys):
        xs = np.linspace(0, WIDTH, columns + 1).astype(int)
        for x0, x1 in pairwise(xs):
            lot = rng.random()
            source = (
                photo(rng, material)
                if lot < 0.75
                else pick(rng, material.persons)
                if lot < 0.85
                else pick(rng, material.scenes)
            )
            picture[y0:y1, x0:x1] = covered(rng, source, x1 - x0, y1 - y0)
    return picture


def film(rng: Random, material: Material) -> Image:
    """A piece of a real frame, from a third of its height to the whole."""
    frame = material.frames[rng.integers(len(material.frames))]
    return flipped(rng, covered(rng, frame, WIDTH, HEIGHT, zoom=float(rng.uniform(1, 2.6))))


def closeup(rng: Random, material: Material) -> Image:
    """A photograph of one face that fills the picture, or more than fills it."""
    return flipped(
        rng, covered(rng, photo(rng, material), WIDTH, HEIGHT, zoom=float(rng.uniform(0.7, 1.9)))
    )


def peopled(rng: Random, material: Material) -> Image:
    """A picture with people in it, as it is."""
    source = pick(rng, material.persons)
    return flipped(rng, covered(rng, source, WIDTH, HEIGHT, zoom=float(rng.uniform(1, 1.8))))


def plain(rng: Random, material: Material) -> Image:
    """Nobody, mostly: a scene, or a texture made of waves and blocks."""
    return background(rng, material)


def background(rng: Random, material: Material) -> Image:
    lot = rng.random()
    if lot < 0.75:
        zoom = float(rng.uniform(1, 2))
        return flipped(rng, covered(rng, pick(rng, material.scenes), WIDTH, HEIGHT, zoom=zoom))
    if lot < 0.85:
        return film(rng, material)
    coarse = rng.integers(0, 256, (int(rng.integers(2, 24)), int(rng.integers(2, 24)), 3))
    way = cv2.INTER_NEAREST if rng.random() < 0.3 else cv2.INTER_CUBIC
    return _resized(coarse.astype(np.uint8), WIDTH, HEIGHT, way)


def photo(rng: Random, material: Material) -> Image:
    """A photograph of a face; grey ones are tinted half of the time."""
    kind = rng.choice(["people", "masked", "diffusionfer"], p=[0.56, 0.22, 0.22])
    picture = pick(rng, material.photos[str(kind)])
    grey = int(np.ptp(picture[::7, ::7].astype(np.int16), axis=2).max()) < 12
    return tinted(rng, picture) if grey and rng.random() < 0.6 else picture


def face(rng: Random, material: Material, size: float) -> Image:
    """A photograph; or, for small ones, also a bare FER+ crop."""
    if size < 70 and material.crops and rng.random() < 0.2:
        crop = material.crops[rng.integers(len(material.crops))]
        return tinted(rng, np.repeat(crop[..., None], 3, 2))
    return photo(rng, material)


def thing(rng: Random, material: Material) -> Image:
    """A piece of a scene, to be pasted as if it were a face."""
    source = pick(rng, material.scenes)
    side = int(min(source.shape[:2]) * rng.uniform(0.3, 1))
    y, x = (int(rng.integers(0, n - side + 1)) for n in source.shape[:2])
    return source[y : y + side, x : x + side]


def tinted(rng: Random, grey: Image) -> Image:
    """Skin colours for a grey picture: shadow, skin and light, interpolated by luminance."""
    skin = np.array([rng.uniform(130, 235), rng.uniform(95, 175), rng.uniform(75, 150)])
    anchors = np.stack([np.zeros(3) + rng.uniform(0, 25, 3), skin, np.full(3, 250.0)])
    middle = rng.uniform(110, 190)
    tables = [np.interp(np.arange(256), [0, middle, 255], anchors[:, c]) for c in range(3)]
    table = np.stack(tables, 1).clip(0, 255).astype(np.uint8)
    return np.asarray(table[grey[..., 0]], np.uint8)


def paste(rng: Random, picture: Image, source: Image, size: float) -> tuple[float, float]:
    """Sets `source` (about `size` px across) somewhere, turned, softly masked; gives its centre."""
    height, width = source.shape[:2]
    scale = size * 1.35 / max(height, width)  # the face takes about three quarters of a photograph
    angle = rng.normal(0, 9) if rng.random() < 0.7 else rng.uniform(-30, 30)
    x = rng.uniform(0.05, 0.95) * WIDTH
    y = rng.uniform(0.05, 0.95) * HEIGHT
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    if rng.random() < 0.5:
        source = source[:, ::-1]
    turn[:, 2] += (x - width / 2, y - height / 2)
    mask = np.zeros((height, width), np.float32)
    if rng.random() < 0.75:
        half = int(width * rng.uniform(0.36, 0.5)), int(height * rng.uniform(0.4, 0.5))
        cv2.ellipse(mask, (width // 2, height // 2), half, 0, 0, 360, 1.0, -1)
        soft = rng.uniform(0.02, 0.09) * min(width, height)
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft), np.float32)
    else:
        mask[:] = 1.0
    return _blend(rng, picture, source, mask, turn, scale, (x, y))


def paste_body(rng: Random, material: Material, picture: Image, size: float) -> None:
    """A face above something like shoulders: a block of cloth, then the head."""
    x, y = paste(rng, picture, face(rng, material, size), size)
    cloth = _resized(thing(rng, material), 32, 32, cv2.INTER_AREA)
    top, half = y + size * rng.uniform(0.5, 0.7), size * rng.uniform(0.6, 1.3)
    y0, y1 = int(max(0, top)), int(min(HEIGHT, top + size * rng.uniform(1, 4)))
    x0, x1 = int(max(0, x - half)), int(min(WIDTH, x + half))
    if y1 - y0 < 2 or x1 - x0 < 2:
        return
    picture[y0:y1, x0:x1] = _resized(cloth, x1 - x0, y1 - y0, cv2.INTER_LINEAR)


def covered(rng: Random, source: Image, width: int, height: int, zoom: float = 1.0) -> Image:
    """A random piece of `source` with this aspect; `zoom` 1 is the largest, below 1 has margins."""
    scale = max(width / source.shape[1], height / source.shape[0]) * zoom
    free = np.array([source.shape[1] * scale - width, source.shape[0] * scale - height])
    shift = rng.uniform(np.minimum(free, 0), np.maximum(free, 0))
    # The face of a photograph is in its middle: pieces are drawn towards it.
    shift = (shift + free / 2) / 2 if zoom > 1 else shift
    matrix = np.array([[scale, 0, -shift[0]], [0, scale, -shift[1]]], np.float32)
    if scale < 0.6:  # averaged first, for linear sampling skips pixels
        less = cv2.resize(source, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        source = np.asarray(less, np.uint8)
        matrix[[0, 1], [0, 1]] = 1
    way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    edge = [int(v) for v in rng.integers(0, 256, 3)]
    made = cv2.warpAffine(source, matrix, (width, height), flags=way, borderValue=edge)
    return np.asarray(made, np.uint8)


def flipped(rng: Random, picture: Image) -> Image:
    return picture[:, ::-1] if rng.random() < 0.5 else picture


def pick(rng: Random, encoded: Sequence[bytes]) -> Image:
    return decoded(encoded[int(rng.integers(len(encoded)))])


def _blend(
    rng: Random,
    picture: Image,
    source: Image,
    mask: np.ndarray,
    turn: np.ndarray,
    scale: float,
    centre: tuple[float, float],
) -> tuple[float, float]:
    """Mixes inside the window that the paste can reach; its light is drawn to what is there."""
    reach = float(np.hypot(*source.shape[:2])) * scale / 2 + 2
    x0, y0 = (int(max(0, v - reach)) for v in centre)
    x1 = int(min(picture.shape[1], centre[0] + reach))
    y1 = int(min(picture.shape[0], centre[1] + reach))
    window = picture[y0:y1, x0:x1]
    turn = turn - np.array([[0, 0, x0], [0, 0, y0]])
    if scale < 0.5:  # linear sampling skips pixels: averaged first
        half = cv2.resize(source, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, half.shape[1::-1], interpolation=cv2.INTER_AREA)
        back = np.array([source.shape[1] / half.shape[1], source.shape[0] / half.shape[0]])
        turn, source = turn * np.array([*back, 1.0]), np.asarray(half, np.uint8)
    size = (x1 - x0, y1 - y0)
    warped = cv2.warpAffine(np.ascontiguousarray(source), turn, size).astype(np.float32)
    alpha = cv2.warpAffine(mask, turn, size)[..., None] * rng.choice([1.0, 1.0, 0.9])
    share = alpha.mean()
    if share > 0.01:
        there = (window * alpha).mean((0, 1)) / share
        own = (warped * alpha).mean((0, 1)) / share
        gain = ((there + 25) / (own + 25)) ** rng.uniform(0, 0.7)
        if rng.random() < 0.5:
            gain = np.full(3, gain.mean())
        warped = np.clip(warped * gain.clip(0.3, 2), 0, 255)
    window[:] = (warped * alpha + window * (1 - alpha)).astype(np.uint8)
    return centre


def _resized(picture: Image, width: int, height: int, way: int) -> Image:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)
