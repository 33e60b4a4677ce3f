"""How to read: what the command line and programs may choose."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path

from tracker.profile import People

FACES = ("detect", "whole")
BASELINES = ("rolling",)
SOUND = "sound-s"  # the sound network of those who ask for sound and name none
DETECTOR_SIZES = (64, 2048)  # px; beyond, one picture takes seconds and gigabytes


@dataclass(frozen=True, slots=True)
class Options:
    """How to read. The same for the command line and for programs; numbers follow from these."""

    detector: str = "builtin"  # or yunet, mediapipe: see `emotrack models list`
    detector_size: int | None = None  # px, long side of what the detector sees; None: its own, 320
    face: str | None = None  # name of the face network; None: see `face_network`
    memory: str = "memory-s"  # name of the causal memory
    context: str | None = None  # name of a network for people in context, or path of its card
    scene: str | None = "scene-s"  # name of the scene network, or path of its card; None: not read
    scene_interval: float = 0.25  # s of stream time between two looks; 0: every frame
    maps: bool = False  # keep where in the picture a scene reading comes from
    faces: str = "detect"  # "whole": each picture is a face crop: nothing detected, no scene
    min_confidence: float = 0.6  # [0, 1], detector score from which somebody new is taken up
    forget_after: float = 2.0  # s unseen before a track and its memory end
    backend: str = "onnx"  # inference engine
    device: str = "cpu"
    max_batch: int = 8  # faces per inference call
    profile: str | Path | None = None  # file that `emotrack calibrate` wrote
    person: tuple[str, ...] = ()  # of the profile: NAME is every face, TRACK=NAME one
    rater: str | None = None  # of the profile
    baseline: str | None = None  # "rolling": each face against its own last minute or so
    sound: str | None = None  # name of the sound network; None: sound is not read

    def __post_init__(self) -> None:
        if self.faces not in FACES:
            raise ValueError(f"faces is {self.faces!r}, expected one of {', '.join(FACES)}")
        for name in ("detector_size", "max_batch"):
            if not isinstance(getattr(self, name), Integral | None):
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected a whole number")
        for name in ("min_confidence", "forget_after", "scene_interval"):
            if not isinstance(getattr(self, name), Real):
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected a number")
        least, most = DETECTOR_SIZES
        if self.detector_size is not None and not least <= self.detector_size <= most:
            raise ValueError(f"detector_size is {self.detector_size}, expected {least}..{most} px")
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(f"min_confidence is {self.min_confidence}, expected 0..1")
        if not self.forget_after > 0:
            raise ValueError(f"forget_after is {self.forget_after} s, expected more than 0")
        if not self.scene_interval >= 0:
            raise ValueError(f"scene_interval is {self.scene_interval} s, expected at least 0")
        if self.max_batch < 1:
            raise ValueError(f"max_batch is {self.max_batch}, expected at least 1")
        if self.context is not None and self.faces == "whole":
            raise ValueError(f"context is {self.context!r}, but with faces 'whole' there is none")
        self._check_calibration()

    @property
    def face_network(self) -> str:
        """The name that was given, or face-s: in int8 where ONNX Runtime reads on a CPU.

        There that takes half of the time, and moves readings less than the last bit of the
        pictures does (`docs/engines.md`); other engines have no kernels for that form.
        """
        on_cpu = (self.backend, self.device) == ("onnx", "cpu")
        return ("face-s-int8" if on_cpu else "face-s") if self.face is None else self.face

    def _check_calibration(self) -> None:
        if isinstance(self.person, str):  # a sequence too, of letters
            raise ValueError(f"person is {self.person!r}, expected names: ({self.person!r},)")
        People.parse(self.person)
        if self.baseline not in (None, *BASELINES):
            raise ValueError(
                f"baseline is {self.baseline!r}, expected one of {', '.join(BASELINES)}"
            )
        if self.baseline is not None and self.profile is not None:
            raise ValueError(
                f"baseline {self.baseline!r} and profile {Path(self.profile).name!r} "
                f"exclude each other"
            )
        for name in ("person", "rater"):
            if getattr(self, name) and self.profile is None:
                raise ValueError(f"{name} is {getattr(self, name)!r}, but there is no profile")
