"""Where the library is put together: `Options` in, a `Tracker` out, `watch` for whole inputs."""

from __future__ import annotations

import logging
import math
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.models import ModelError, ModelUse
from tracker.pipeline import Tracker
from tracker.profile import Networks, People, ProfileUse
from tracker.run import follow
from tracker.sources import Span, open_source
from tracker.values import FrameResult

if TYPE_CHECKING:
    from engines import Engine
    from tracker.audio import AudioReader
    from tracker.detectors import Detector
    from tracker.models import Model
    from tracker.people import Calibrate, Context
    from tracker.scene import SceneReader
    from tracker.smoothing import LstmSmoother

log = logging.getLogger(__name__)

FACES = ("detect", "whole")
BASELINES = ("rolling",)
SOUND = "sound-s"  # the sound network of those who ask for sound and name none
DETECTOR_SIZES = (64, 2048)  # px; beyond, one picture takes seconds and gigabytes
KEPT = 0.75  # times min_confidence: a face that is followed already is believed down to there
MESH = ("mediapipe",)  # detectors that measure pose and blendshapes


@dataclass(frozen=True, slots=True)
class Options:
    """How to read. The same for the command line and for programs; numbers follow from these."""

    detector: str = "builtin"  # or yunet, mediapipe: see `emotrack models list`
    detector_size: int | None = None  # px, long side of what the detector sees; None: its own, 320
    face: str = "face-s"  # name of the face network
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

    def _check_calibration(self) -> None:
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


def build(options: Options | None = None) -> Tracker:
    """Opens the models and puts a Tracker together; leave it with `with` or `close()`.

    Raises ModelError or EngineError if a model or engine that was asked for is not there, and
    ProfileError if the profile cannot be used with them.
    """
    options = options or Options()
    from tracker.crops import Cropper
    from tracker.cuts import CutFinder
    from tracker.faces import FaceFinder, WholePicture
    from tracker.people import PeopleReader
    from tracker.smoothing import LstmSmoother

    opening = _Opening(options)
    finder = FaceFinder(
        WholePicture() if options.faces == "whole" else opening.detector(),
        begin_at=options.min_confidence,
        forget_after=options.forget_after,
    )
    face, network = opening.network(options.face, "face")
    cropper = Cropper(face.card["input"])
    cut = cropper.whole if options.faces == "whole" else cropper.aligned
    remembering, memory = opening.network(options.memory, "memory")
    smoother = LstmSmoother(memory, forget_after=options.forget_after)
    calibrate, profile = _calibration(options, Networks(face.sha256, remembering.sha256))
    context = None
    if options.context is not None:  # the memory's engine remembers nothing: all may share it
        own = LstmSmoother(memory, forget_after=options.forget_after)
        context = opening.context(options.context, own)
    people = PeopleReader(network, cut, smoother, calibrate, context)
    scene = None
    if options.scene is not None and options.faces != "whole":  # a crop of a face is no scene
        viewer = LstmSmoother(memory, forget_after=math.inf)
        scene = opening.scene(options.scene, viewer)
    audio = None if options.sound is None else opening.audio(options.sound)
    return Tracker(
        CutFinder(),
        finder,
        people,
        opening.used,
        scene=scene,
        audio=audio,
        mesh=options.faces == "detect" and options.detector in MESH,
        context=context is not None,
        profile=profile,
    )


def watch(
    name: str | Path,
    options: Options | None = None,
    *,
    start: float | None = None,
    end: float | None = None,
    every: float | None = None,
) -> Generator[FrameResult, None, None]:
    """Results of a film, a photo or a folder of photos, frame by frame, as they are read.

    start, end: s on the container's clock. every: s of stream time between frames.
    Raises SourceError naming the input if it cannot be read.
    """
    source = open_source(name, Span(start, end, every))
    with build(options) as tracker:
        for step in follow(source, tracker):
            yield step.result


def _calibration(
    options: Options, networks: Networks
) -> tuple[Calibrate | None, ProfileUse | None]:
    """What makes the calibrated values, and what of a profile it uses."""
    from tracker.profile import check_networks, choose
    from tracker.profile_file import load_profile
    from tracker.rolling import RollingBaseline

    if options.baseline == "rolling":
        return RollingBaseline(forget_after=options.forget_after), None
    if options.profile is None:
        return None, None
    profile = load_profile(Path(options.profile))
    check_networks(profile, networks)
    return choose(profile, options.person, options.rater, forget_after=options.forget_after)


class _Opening:
    """Opens the models of one Tracker, and remembers which they were."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.used: list[ModelUse] = []

    def detector(self) -> Detector:
        from tracker.detectors import open_detector

        options = self._options
        detector = open_detector(
            options.detector,
            long_side=options.detector_size,
            min_confidence=KEPT * options.min_confidence,
            backend=options.backend,
            device=options.device,
        )
        self.used.append(ModelUse.of(detector.model, detector.description))
        return detector

    def audio(self, name: str) -> AudioReader:
        """Raises ModelError if this is no network for sound."""
        from tracker.audio import AudioReader
        from tracker.mel import LogMel, MelShape

        model, engine = self.network(name, "audio")
        if model.card.get("non_commercial"):
            log.warning("%s is not for commercial use: %s", name, model.licence)
        mel = LogMel(MelShape.of(model.card["input"]["mel"]))
        return AudioReader(engine, mel, model.card["needs_voice"])

    def network(self, name: str, role: str) -> tuple[Model, Engine]:
        """A network of ours, ready to run. Raises ModelError if it is one for something else."""
        from tracker.models import open_shipped

        model = open_shipped(name)
        if model.role != role:
            raise ModelError(f"{model.path.name}: its role is {model.role!r}, expected {role!r}")
        return model, self._engine(model)

    def context(self, name: str, memory: LstmSmoother) -> Context:
        """name: of a network for people in context, or the path of its card."""
        from tracker.context import ContextReader, Layout
        from tracker.models import open_named

        model = open_named(name)
        layout = Layout.of(model)
        engine = self._engine(model, layout.lacks)
        forget_after = self._options.forget_after
        return ContextReader(engine, layout, memory, forget_after=forget_after)

    def scene(self, name: str, memory: LstmSmoother) -> SceneReader:
        """name: of a network for scenes, or the path of its card."""
        from tracker.models import open_named
        from tracker.scene import Layout, SceneReader

        model = open_named(name)
        layout = Layout.of(model)
        engine = self._engine(model, layout.lacks)
        interval, maps = self._options.scene_interval, self._options.maps
        return SceneReader(engine, layout, memory, interval=interval, maps=maps)

    def _engine(self, model: Model, lacks: tuple[str, ...] = ()) -> Engine:
        import engines
        from tracker.models import check_shapes

        options = self._options
        engine = engines.load(
            model.path, options.backend, device=options.device, max_batch=options.max_batch
        )
        check_shapes(model, engine)
        self.used.append(ModelUse.of(model, engine.description, lacks))
        return engine
