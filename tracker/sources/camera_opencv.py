"""Cameras of this machine, through OpenCV."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tracker.sources.base import SourceError, Wish
from tracker.sources.camera import Lost
from tracker.values import Image

DRIVERS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
SIZE_WH = (1280, 720)  # asked for where the user names none
RATE = 30.0  # frames/s, the same
NODE = "/dev/video{}"  # of Linux
COMPRESSED = cv2.VideoWriter.fourcc(*"MJPG")  # raw 720p at 30/s does not fit through USB 2
log = logging.getLogger(__name__)


class OpenCvDevice:
    """A capture that is open. name: for its messages and the sidecar."""

    def __init__(self, name: str, capture: cv2.VideoCapture) -> None:
        self._capture = capture
        self.about: dict[str, Any] = {
            "kind": "camera",
            "name": name,
            "width": round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            "height": round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            "rate": capture.get(cv2.CAP_PROP_FPS),
        }

    def read(self) -> Image:
        try:
            given, image = self._capture.read()
        except cv2.error as wrong:
            raise Lost(wrong.err or "the driver failed") from wrong
        if not given:
            raise Lost("no picture")
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)

    def close(self) -> None:
        self._capture.release()


def open_opencv(index: int, name: str, wish: Wish) -> OpenCvDevice:
    """Opens the camera and takes a first picture. Raises SourceError saying why it cannot."""
    with _silent():
        capture = cv2.VideoCapture(index, DRIVERS.get(sys.platform, cv2.CAP_ANY))
        if not capture.isOpened():
            raise SourceError(f"{name}: {_why_not(index)}")
        width, height = wish.size_wh or SIZE_WH
        capture.set(cv2.CAP_PROP_FOURCC, COMPRESSED)
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        capture.set(cv2.CAP_PROP_FPS, wish.rate or RATE)
        device = OpenCvDevice(name, capture)
        try:
            device.read()
        except Lost as wrong:
            device.close()
            raise SourceError(f"{name}: {_why_not(index)}") from wrong
    for line in unmet(wish, device.about):
        log.warning("%s: %s", name, line)
    return device


def unmet(wish: Wish, about: dict[str, Any]) -> Iterator[str]:
    """What the camera does instead of what was asked for."""
    given = about["width"], about["height"]
    if wish.size_wh is not None and given != wish.size_wh:
        yield f"asked for {wish.size_wh[0]}x{wish.size_wh[1]}, gives {given[0]}x{given[1]}"
    if wish.rate is not None and about["rate"] and abs(about["rate"] - wish.rate) > 0.5:
        yield f"asked for {wish.rate:g} frames/s, gives {about['rate']:g}"


def _why_not(index: int) -> str:
    if sys.platform == "linux":
        node = Path(NODE.format(index))
        if not node.exists():
            return f"there is no camera {index}; `emotrack cameras` lists them"
        try:
            os.close(os.open(node, os.O_RDWR | os.O_NONBLOCK))
        except OSError as wrong:
            if wrong.errno == errno.EACCES:
                return f"no permission to use {node} (often granted by the group `video`)"
            if wrong.errno != errno.EBUSY:
                return f"{node}: {wrong.strerror}"
    return "gives no picture; another program may be using it"


@contextmanager
def _silent() -> Iterator[None]:
    """OpenCV prints several lines of its own about a camera that is not there; ours is one."""
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)
