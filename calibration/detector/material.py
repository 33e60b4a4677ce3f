"""What the training pictures are made of: photographs, face crops, scenes, frames of clips.

Everything comes from ../shared. Photographs are divided by name: every tenth belongs to
validation and is never seen in training.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from tracker.values import Image

# The clips that calibration.detector.evaluate measures on are in no list here.
CLIPS = {  # clip -> at most so many frames, evenly spaced
    "mpiigaze_video00.mp4": 100,
    "face_noface.mov": 84,
    "noface_face.mov": 60,
    "single_face.mp4": 36,
    "asl_brother.mkv": 30,
    "asl_thanks.mkv": 30,
    "asl_hungry.mkv": 30,
    "hard/raw_foreman.264": 100,
    "hard/raw_lost_slices.264": 6,
    "hard/truncated.mkv": 30,
    "hard/nasa_13013.mp4": 40,
    "hard/failing_audio.mp4": 20,
    "hard/no_duration.webm": 15,
    "hard/fire2.mp4": 12,
    "hard/corrupted.mp4": 12,
    "hard/h264_10bits.mp4": 4,
    "hard/bt601_full_range.mp4": 2,
    "hard/testsrc2_vp8.webm": 2,
    "hard/rotation_0.mov": 1,
    "hard/rotation_90.mov": 1,
}
TURNED = {  # faces seen from the side are rare elsewhere; for the last stage
    **CLIPS,
    "mpiigaze_video00.mp4": 200,
    "mpiigaze_video03.mp4": 279,
}
MIX = (0.33, 0.15, 0.27, 0.10, 0.12, 0.03)  # shares of the kinds of compose.canvas
FILMED = (0.22, 0.10, 0.50, 0.06, 0.10, 0.02)  # the same, mostly real frames
FACES = ("people", "masked", "diffusionfer")
SCENES = ("intel", "sun8", "oasis")
WIDEST = 640  # px; frames are kept no wider than this


@dataclass(frozen=True)
class Material:
    """Encoded pictures by kind, decoded on demand: 8,000 of them decoded would fill 2 GB."""

    photos: dict[str, list[bytes]]  # people, masked, diffusionfer: whole photographs of faces
    crops: list[Image]  # FER+: grey 48 x 48 faces
    persons: list[bytes]  # OASIS pictures with people
    scenes: list[bytes]  # without people, as far as their sets say
    frames: list[Image]  # of clips
    mix: tuple[float, ...] = MIX


def gather(
    shared: Path,
    *,
    validation: bool,
    clips: Mapping[str, int] = CLIPS,
    mix: tuple[float, ...] = MIX,
) -> Material:
    """The training or the validation half of everything. Clips belong to both: they are few.

    clips: file -> at most so many frames.
    """
    data = shared / "data"
    photos = {kind: _files(data / "faces" / kind, validation) for kind in FACES}
    persons: list[bytes] = []
    scenes: list[bytes] = []
    peopled = _person_names(data / "scenes" / "oasis")
    for kind in SCENES:
        for path in _chosen(data / "scenes" / kind, validation):
            (persons if path.stem in peopled else scenes).append(path.read_bytes())
    frames = [frame for name, n in clips.items() for frame in frames_of(shared / "clips" / name, n)]
    crops = _crops(data / "faces", validation)
    return Material(photos, crops, persons, scenes, frames, mix)


def decoded(data: bytes) -> Image:
    """An encoded picture as RGB."""
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError("a picture of the data set cannot be decoded")
    return np.ascontiguousarray(bgr[..., ::-1], np.uint8)


def frames_of(path: Path, at_most: int) -> list[Image]:
    """Evenly spaced frames, upright, RGB, at most WIDEST wide. An absent clip gives none."""
    if not path.exists():
        return []
    frames: list[Image] = []
    # Some clips are damaged on purpose: what precedes the damage is good.
    with suppress(av.error.InvalidDataError), av.open(str(path)) as container:
        for frame in container.decode(video=0):
            scale = min(1.0, WIDEST / frame.width)
            size = round(frame.width * scale), round(frame.height * scale)
            small = frame.reformat(*size, format="rgb24", interpolation="AREA").to_ndarray()
            frames.append(np.rot90(small, round(frame.rotation / 90) % 4))
    step = max(1.0, len(frames) / at_most)
    return [np.ascontiguousarray(frames[int(i * step)]) for i in range(int(len(frames) / step))]


def is_validation(name: str) -> bool:
    """Every tenth name, the same on every machine. Photographs of one person share a name."""
    stem = name.rsplit(".", 1)[0]
    stem = stem.rstrip("0123456789_ ") or stem  # numbered sets have nothing else to go by
    return int(hashlib.sha1(stem.encode()).hexdigest()[:8], 16) % 10 == 0


def _files(folder: Path, validation: bool) -> list[bytes]:
    return [path.read_bytes() for path in _chosen(folder, validation)]


def _chosen(folder: Path, validation: bool) -> list[Path]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".jpeg", ".png"))
    return [path for path in paths if is_validation(path.name) is validation]


def _person_names(folder: Path) -> frozenset[str]:
    """The pictures of OASIS that its authors filed under people."""
    table = folder / "labels.csv"
    if not table.exists():
        return frozenset()
    with table.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["category"] == "Person"]
    return frozenset(Path(row["file"]).stem for row in rows)


def _crops(folder: Path, validation: bool) -> list[Image]:
    path = folder / ("ferplus_valid.npz" if validation else "ferplus_train_1.npz")
    if not path.exists():
        return []
    with np.load(path) as file:
        images, votes = file["images"], file["votes"]
    faces = images[votes[:, -1] == 0]
    return list(faces[:: 1 if validation else 2])
