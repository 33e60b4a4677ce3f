"""What a Linux video node is and can do: Video4Linux2, linux/videodev2.h.

The sizes of the structures and the numbers of the requests are compared with the system's header
in `tests/test_cameras.py`.
"""

from __future__ import annotations

import fcntl
import struct
from collections.abc import Iterator

CAPABILITY = struct.Struct("16s32s32s6I")  # driver, card, bus; version, capabilities, of this node
FORMAT = struct.Struct("3I32s5I")  # index, buffer type, flags; text; pixel format, reserved
SIZE = struct.Struct("11I")  # index, pixel format, type; width, height or ranges; reserved
INTERVAL = struct.Struct("13I")  # index, pixel format, width, height, type; s as a fraction, ...

_READ, _WRITE = 2, 1
CAPTURE = 1  # a buffer type, and the bit of a node that gives pictures
BY_NODE = 0x80000000  # the capabilities of this node are told apart from those of the whole device
DISCRETE = 1


def _request(direction: int, number: int, layout: struct.Struct) -> int:
    return direction << 30 | layout.size << 16 | ord("V") << 8 | number


QUERY_CAPABILITY = _request(_READ, 0, CAPABILITY)
ENUM_FORMAT = _request(_READ | _WRITE, 2, FORMAT)
ENUM_SIZE = _request(_READ | _WRITE, 74, SIZE)
ENUM_INTERVAL = _request(_READ | _WRITE, 75, INTERVAL)


def gives_pictures(node: int) -> bool:
    """Whether the open node is a camera's picture; the same camera has others, for metadata."""
    data = bytearray(CAPABILITY.size)
    fcntl.ioctl(node, QUERY_CAPABILITY, data)
    *_, whole, own, _, _, _ = CAPABILITY.unpack(data)
    return bool((own if whole & BY_NODE else whole) & CAPTURE)


def modes(node: int) -> Iterator[str]:
    """`MJPG 1280x720 30 25`: pixel format, px, frames/s; sizes by range have no rates named."""
    for form in _listed(node, ENUM_FORMAT, FORMAT, (CAPTURE,)):
        pixels = form[4]
        name = struct.pack("I", pixels).decode("ascii", "replace")
        for size in _listed(node, ENUM_SIZE, SIZE, (pixels,)):
            if size[2] != DISCRETE:
                yield f"{name} {size[3]}x{size[6]} to {size[4]}x{size[7]}"
                continue
            of_size = pixels, size[3], size[4]
            rates = [
                f"{seconds[6] / seconds[5]:.4g}"
                for seconds in _listed(node, ENUM_INTERVAL, INTERVAL, of_size)
                if seconds[4] == DISCRETE and seconds[5]
            ]
            yield " ".join([name, f"{size[3]}x{size[4]}", *rates])


def _listed(
    node: int, request: int, layout: struct.Struct, of: tuple[int, ...]
) -> Iterator[tuple[int, ...]]:
    """Entries 0, 1, ... until the driver knows no more. of: what the entry is asked for."""
    for index in range(256):
        data = bytearray(layout.size)
        struct.pack_into(f"{1 + len(of)}I", data, 0, index, *of)
        try:
            fcntl.ioctl(node, request, data)
        except OSError:
            return
        yield layout.unpack(data)
