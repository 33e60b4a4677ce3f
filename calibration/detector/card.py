"""What the detector's card says before anything is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from calibration.detector.measures import SIZE, measure


def draft_card(settings: Mapping[str, Any], held_out: Sequence[str]) -> dict[str, Any]:
    """Everything that is known before the measurement."""
    unclear = "pictures not cleared: trained on, never redistributed"
    return {
        "role": "detector",
        "version": "1.0",
        "input": {
            "name": "image",
            "size": SIZE,
            "colour": "RGB",
            "range": "0..255",
            "fit": "long side to size, black on the right and below to multiples of 32",
        },
        "outputs": [
            {"name": "score", "unit": "probability, cells of stride 8, 16, 32"},
            {"name": "geometry", "labels": ["box (4)", "points (10)"], "unit": "strides"},
        ],
        "points": "image-left eye, image-right eye, nose, image-left and image-right mouth corner",
        "teacher": {
            "name": "YuNet, face_detection_yunet_2023mar",
            "licence": "MIT (OpenCV Zoo), Apache-2.0 (training repository)",
        },
        "data": [
            {
                "name": "people (muxspace/facial_expressions)",
                "licence": f"Apache-2.0 repository; {unclear}",
                "used_for": "train",
            },
            {
                "name": "masked (Face-Mask-Detection)",
                "licence": f"MIT repository; {unclear}",
                "used_for": "train",
            },
            {"name": "DiffusionFER", "licence": "CC0-1.0", "used_for": "train"},
            {"name": "FER2013 crops of FER+", "licence": unclear, "used_for": "train"},
            {"name": "OASIS, Intel scenes, SUN-8", "licence": unclear, "used_for": "train"},
            {
                "name": "clips of ../shared but those held out",
                "licence": "see clips/manifest.csv",
                "used_for": "train",
            },
            {"name": ", ".join(held_out), "licence": "see clips/manifest.csv", "used_for": "test"},
        ],
        "licence": "Apache-2.0",
        "scores": [],
        "measures": " ".join((measure.__doc__ or "").split()),
        "recipe": {"command": "python -m calibration.detector.train", **settings},
        "limits": (
            "Agreement with YuNet at the same input size, not with people who drew boxes. Few "
            "coloured photographs of full scenes were at hand: weakest on faces under 30 px of the "
            "input among real surroundings, on profiles, in the dark, and on faces turned by more "
            "than 20 degrees. The one clip of a group with small faces from the side "
            "(mpiigaze_video03) was held out of the first stage, which found none of its 74 "
            "confident faces; the second stage trains on it, so nothing is left to measure that "
            "case on. For crowds take the yunet detector. Drawn and animal faces may be found or "
            "not."
        ),
    }
