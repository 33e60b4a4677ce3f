"""A picture file's bytes as upright RGB. Read `decoded` first."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from cv2.utils import logging as noise

from tracker.sources.base import SourceError
from tracker.sources.head import ORIENTATION, size_of, tags_of
from tracker.values import Image

LARGEST = 250_000_000  # px; a picture beyond that is more likely an attack than a photo
PNG = b"\x89PNG\r\n\x1a\n"
OPAQUE = (b"\xff\xd8\xff", b"BM")  # JPEG and BMP: no alpha is looked for


def decoded(data: bytes) -> Image:
    """Upright RGB, whatever the file held: grey, palette, 16 bit, CMYK; what is transparent lies
    on white, as on a page.

    Raises SourceError saying what is wrong, without the file's name.
    """
    if not data:
        raise SourceError("the file is empty")
    if data.startswith(PNG):
        _check_png(data)
    size = size_of(data)
    if size is not None:
        _check_size(*size)
    array = np.frombuffer(data, np.uint8)
    way = _avif_way(data)
    with _quiet():
        image = None if data.startswith(OPAQUE) else _laid_on_white(array, turn=way is None)
        if image is None:
            image = _opaque(array, turn=way is None)
    if way is not None:
        image = np.ascontiguousarray(np.rot90(image, way[0])[:: way[1], :: way[2]])
    _check_size(image.shape[1], image.shape[0])
    return image


def count(path: Path) -> int:
    """How many pictures a readable file holds: an animation or a document has several."""
    with _quiet():
        # As bytes: a name that is not UTF-8 would crash OpenCV.
        return cv2.imcount(os.fsencode(path))  # type: ignore[arg-type]


def _opaque(array: Image, *, turn: bool) -> Image:
    """turn: as EXIF says."""
    flags = cv2.IMREAD_COLOR_RGB | (0 if turn else cv2.IMREAD_IGNORE_ORIENTATION)
    try:
        image = cv2.imdecode(array, flags)
    except cv2.error as wrong:
        raise SourceError(f"not a readable picture ({wrong.err or 'damaged'})") from wrong
    if image is None:
        raise SourceError("not a readable picture: damaged, cut off, or of an unknown kind")
    return np.asarray(image, np.uint8)


def _laid_on_white(array: Image, *, turn: bool) -> Image | None:
    """None for a picture without transparency. turn: as EXIF says."""
    try:
        image, kinds, found = cv2.imdecodeWithMetadata(array, flags=cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None  # whoever decodes it next says why
    if image is None or image.ndim != 3 or image.shape[2] != 4:
        return None
    if image.dtype not in (np.uint8, np.uint16):
        return None
    wide = np.asarray(image, np.uint16) >> (8 if image.dtype == np.uint16 else 0)
    rgb, alpha = wide[:, :, 2::-1], wide[:, :, 3:]
    if alpha.min() == 255:
        return None
    laid = ((rgb * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    for kind, exif in zip(kinds, found, strict=True):
        # imdecode leaves an unchanged picture unturned
        if turn and kind == cv2.IMAGE_METADATA_EXIF:
            tags = tags_of(exif.tobytes())
            laid = _turned(laid, tags.get(ORIENTATION, 1))
    return np.ascontiguousarray(laid)


def _avif_way(data: bytes) -> tuple[int, int, int] | None:
    """Quarter turns anticlockwise, then steps of rows and columns, by the file's own boxes, which
    count instead of EXIF (ISO/IEC 23008-12, 6.5.10 and 6.5.12); None: it has none."""
    if data[4:8] != b"ftyp":
        return None
    head = data[: data.find(b"mdat")]
    turned, mirrored = (
        head.partition(box)[2][:1] for box in (b"\0\0\0\x09irot", b"\0\0\0\x09imir")
    )
    if not turned and not mirrored:
        return None
    axis = mirrored[0] & 1 if mirrored else None
    return turned[0] & 3 if turned else 0, -1 if axis == 0 else 1, -1 if axis == 1 else 1


def _turned(image: Image, orientation: int) -> Image:
    """Upright. EXIF's ways are a mirror along the diagonal, then of rows, then of columns."""
    if orientation >= 5:
        image = image.transpose(1, 0, 2)
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    columns = -1 if orientation in (2, 3, 6, 7) else 1
    return image[::rows, ::columns]


def _check_png(data: bytes) -> None:
    """Sizes and sums of its parts: libpng writes its complaints to standard error."""
    at = len(PNG)
    name = b""
    while name != b"IEND":
        if at + 12 > len(data):
            raise SourceError("not a readable picture: the file is cut off")
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            raise SourceError("not a readable picture: the file is cut off")
        if zlib.crc32(data[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise SourceError("not a readable picture: the file is damaged")
        if name == b"IHDR":
            _check_size(*struct.unpack_from(">II", data, at + 8))
        at = end + 4


def _check_size(width: int, height: int) -> None:
    if width * height > LARGEST:
        raise SourceError(f"{width} x {height} px is too large")


@contextmanager
def _quiet() -> Iterator[None]:
    """OpenCV's own log goes to standard error; what is wrong is said once, by us."""
    before = noise.setLogLevel(noise.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        noise.setLogLevel(before)
