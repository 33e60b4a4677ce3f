"""What a picture file tells of itself before it is unpacked."""

from __future__ import annotations

import struct
from contextlib import suppress

WIDTH, HEIGHT, ORIENTATION = 0x0100, 0x0101, 0x0112  # TIFF's tags, which EXIF has as well
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # JPEG's markers that tell a size


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height (px) of a JPEG, TIFF, GIF, BMP, JPEG 2000 or AVIF as they are stored; None
    for other kinds, and where the head is damaged."""
    with suppress(struct.error):
        if data.startswith(b"\xff\xd8"):
            return _of_jpeg(data)
        if data.startswith((b"II*\0", b"MM\0*")):
            tags = tags_of(data)
            return (tags[WIDTH], tags[HEIGHT]) if {WIDTH, HEIGHT} <= tags.keys() else None
        if data.startswith(b"GIF8"):
            return _pair("<HH", data, 6)
        if data.startswith(b"BM"):
            width, height = _pair("<ii", data, 18)
            return width, abs(height)  # below 0: the uppermost line is the first
        if data[4:8] == b"jP  ":
            height, width = _pair(">II", data.partition(b"ihdr")[2], 0)
            return width, height
        if data[4:8] == b"ftyp":  # the parts of a grid are smaller than the whole
            sizes = data.partition(b"mdat")[0].split(b"ispe")[1:]
            return max((_pair(">II", one, 4) for one in sizes), default=None)
    return None


def tags_of(data: bytes) -> dict[int, int]:
    """The first values of the tags of a TIFF's first picture, or of EXIF's, as far as they are
    whole."""
    found = {}
    with suppress(KeyError, struct.error):
        order = {b"MM": ">", b"II": "<"}[data[:2]]
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (entries,) = struct.unpack_from(f"{order}H", data, start)
        places = (start + 2 + 12 * i for i in range(entries))
        for at in places:
            tag, kind = struct.unpack_from(f"{order}HH", data, at)
            found[tag] = struct.unpack_from(f"{order}{'I' if kind == 4 else 'H'}", data, at + 8)[0]
    return found


def _of_jpeg(data: bytes) -> tuple[int, int] | None:
    at = 2
    while data[at : at + 1] == b"\xff":
        marker, length = struct.unpack_from(">BH", data, at + 1)
        if marker in FRAMES:
            height, width = _pair(">HH", data, at + 5)
            return width, height
        at += 1 if marker == 0xFF else 2 + length  # several 0xff may stand before a marker
    return None


def _pair(form: str, data: bytes, at: int) -> tuple[int, int]:
    one, two = struct.unpack_from(form, data, at)
    return one, two
