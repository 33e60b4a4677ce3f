"""Interchangeable face detectors: `open_detector` by name."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from tracker.models import Model, ModelError
from tracker.picture import Picture
from tracker.values import Detection

__all__ = ["DETECTORS", "Detector", "MissingPackage", "open_detector"]

DETECTORS = {  # name -> module, imported on first use; package it needs; what to install
    "builtin": ("tracker.detectors.builtin", "onnxruntime", "onnxruntime"),
    "yunet": ("tracker.detectors.yunet", "cv2", "opencv-python-headless"),
    "mediapipe": ("tracker.detectors.mediapipe_task", "mediapipe", "emotrack[mediapipe]"),
}


class MissingPackage(ModelError):
    """The detector exists but its package is not installed."""


class Detector(Protocol):
    """What `open_detector` gives. Not thread-safe: one detector belongs to one thread."""

    model: Model  # what it reads
    description: str  # what really runs

    def __call__(self, picture: Picture) -> list[Detection]:
        """Faces of a picture of any size, in its pixels, best first."""
        ...

    def close(self) -> None:
        """Free the model. Calling twice is harmless."""
        ...


def open_detector(
    name: str,
    *,
    min_confidence: float | None = None,
    long_side: int | None = None,
    backend: str = "onnx",
    device: str = "cpu",
) -> Detector:
    """The named detector. Nothing is substituted silently.

    min_confidence: in [0, 1], below it there is no face; None: the detector's own.
    long_side: px that the long side of a picture is brought to before it is looked at; None: the
    detector's own. Twice of it finds faces of half the size in three to four times the time.
    backend, device: where our own network runs; the others bring their own engine, on the CPU.
    Raises ModelError if there is no such detector, or naming the command that brings what it
    lacks; EngineError if backend or device is not to be had.
    """
    try:
        module, package, requirement = DETECTORS[name]
    except KeyError:
        raise ModelError(f"unknown detector {name!r}; known: {', '.join(DETECTORS)}") from None
    if name == "mediapipe" and long_side is not None:
        raise ModelError(f"the mediapipe detector has a size of its own, not {long_side} px")
    try:
        implementation = import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name != package:
            raise  # our own bug, not an absent dependency
        raise MissingPackage(
            f"the {name} detector needs {package}: pip install '{requirement}'"
        ) from None
    given: dict[str, object] = {}
    if min_confidence is not None:
        given["min_confidence"] = min_confidence
    if long_side is not None:
        given["long_side"] = long_side
    if name == "builtin":
        given |= {"backend": backend, "device": device}
    return cast(Detector, implementation.build(**given))
