"""Where the library is put together: `Options` in, a `Tracker` out, `watch` for whole inputs."""

from __future__ import annotations

import logging
import math
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.models import ModelError, ModelUse
from tracker.options import Options
from tracker.pipeline import Tracker
from tracker.profile import Networks, ProfileUse
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

KEPT = 0.75  # times min_confidence: a face that is followed already is believed down to there
MESH = ("mediapipe",)  # detectors that measure pose and blendshapes


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
    face, network = opening.network(options.face_network, "face")
    cropper = Cropper(face.card["input"])
    cut = cropper.whole if options.faces == "whole" else cropper.aligned
    remembering, memory = opening.network(options.memory, "memory")
    smoother = LstmSmoother(memory, forget_after=options.forget_after)
    calibrate, profile = _calibration(options, Networks(face.origin, remembering.origin))
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
    What there is to say of the input (damage, assumed times) is logged as warnings when the
    reading ends. Raises SourceError naming the input if it cannot be read, ValueError for a time
    that is none, and what `build` does; all of it when the first result is asked for.
    """
    source = open_source(name, Span(start, end, every))
    try:
        with build(options) as tracker, closing(follow(source, tracker)) as steps:
            for step in steps:
                yield step.result
    finally:
        for note in source.report.notes:
            log.warning("%s", note)


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
