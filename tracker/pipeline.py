"""Frames in, results out. Read `Tracker.take` first: it is the whole program."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import get_ident
from typing import TYPE_CHECKING, Protocol

from tracker.models import ModelUse
from tracker.picture import Given, Picture, checked
from tracker.profile import ProfileUse
from tracker.sound import Sound
from tracker.values import (
    AudioReading,
    Detection,
    Face,
    Frame,
    FrameResult,
    PersonReading,
    SceneReading,
)

if TYPE_CHECKING:
    from tracker.people import Calibrate


class Part(Protocol):
    def begin(self) -> None:
        """A new stream: forget what was seen."""

    def close(self) -> None:
        """Free models. Calling twice is harmless."""


class CutFinder(Part, Protocol):
    def __call__(self, frame: Frame) -> bool:
        """Asked of every frame in order, by `Tracker.look`; the first of a stream is a cut."""


class FaceFinder(Part, Protocol):
    def look(self, picture: Picture) -> Sequence[Detection]:
        """Depends on this picture alone, so it may run ahead, in another thread."""

    def __call__(self, frame: Frame, cut: bool, seen: Sequence[Detection]) -> Sequence[Face]:
        """seen: what `look` said of this frame."""


class PeopleReader(Part, Protocol):
    calibrate: Calibrate | None

    def __call__(self, frame: Frame, faces: Sequence[Face]) -> Sequence[PersonReading]: ...


class SceneReader(Part, Protocol):
    def look(self, frame: Frame, cut: bool) -> Future[SceneReading]:
        """Asked of every frame in order, it looks at its own rate and holds what it saw last,
        by itself and not steadied. May run ahead, in another thread; the look itself may take
        longer than this."""

    def __call__(self, seen: Future[SceneReading]) -> SceneReading:
        """What `look` said, steadied; waits for it."""


class AudioReader(Part, Protocol):
    def listen(self, sound: Sound | None) -> None:
        """Close the sound so far; hear this one from the next frame on."""

    def __call__(self, frame: Frame) -> AudioReading | None:
        """What the sound up to the frame's time says, and nothing later."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What pictures alone say; it is found ahead of the rest."""

    shot: int  # one more with every cut
    faces: Sequence[Detection]  # of this picture, whoever they are
    scene: Future[SceneReading] | None  # the latest look, not steadied


class Tracker:
    """Reads one stream of frames at a time. It belongs to the first thread that uses it, and to
    the process that built it: a fork has none of its threads.

    Trackers share nothing, so N of them in N threads give the numbers of N serial runs.
    A frame of another source, of one that was lost and taken up again, or whose time steps back
    begins a new stream: nobody is known any more, while track numbers go on.

    models: what reads. mesh: faces come with pose and blendshapes. context: people come with a
    reading of the picture around them. profile: what calibrates.
    """

    def __init__(
        self,
        cuts: CutFinder,
        faces: FaceFinder,
        people: PeopleReader,
        models: Sequence[ModelUse] = (),
        *,
        scene: SceneReader | None = None,
        audio: AudioReader | None = None,
        mesh: bool = False,
        context: bool = False,
        profile: ProfileUse | None = None,
    ) -> None:
        self.models = tuple(models)
        self.mesh = mesh
        self.context = context
        self.reads_scene = scene is not None
        self.profile = profile
        self._cuts = cuts
        self._faces = faces
        self._people = people
        self._scene = scene
        self._audio = audio
        self._pushed = 0  # frames taken by push()
        self._looked = _Place()
        self._taken = _Place()
        self._shots = 0  # that `look` has seen begin
        self._shot = 0  # that the last frame taken belongs to
        self._process = os.getpid()
        self._thread: int | None = None
        self._closed = False

    def look(self, frame: Frame) -> Seen:
        """What this picture says, whoever is in it. Every frame in order; may run ahead of `take`
        in another thread, but not in two at once."""
        if self._looked.leads_to_another_stream(frame):
            self._cuts.begin()
        cut = self._cuts(frame)
        self._shots += cut
        scene = None if self._scene is None else self._scene.look(frame, cut)
        return Seen(self._shots, self._faces.look(frame.picture), scene)

    def take(self, frame: Frame, seen: Seen | None = None) -> FrameResult:
        """Read one frame. Raises RuntimeError when called from a second thread, in a forked
        process, or after `close`.

        seen: what `look` said of it, if it has been asked already.
        """
        self._check_use()
        if seen is None:
            seen = self.look(frame)
        if self._taken.leads_to_another_stream(frame):
            self._forget()
        cut, self._shot = seen.shot != self._shot, seen.shot
        faces = self._faces(frame, cut, seen.faces)
        people = tuple(self._people(frame, faces))
        scene = None
        if self._scene is not None and seen.scene is not None:
            scene = self._scene(seen.scene)
        audio = None if self._audio is None else self._audio(frame)
        latency = time.monotonic() - frame.arrived
        return FrameResult(frame.index, frame.pts, latency, cut, people, frame.source, scene, audio)

    def push(self, picture: Given, pts: float) -> FrameResult:
        """Read one picture of a loop that somebody else owns.

        picture: uint8 (H, W, 3), RGB; or a `Frame.picture` of ours. It is yours again afterwards.
        pts: s, on any clock; a step back begins a new stream.
        Raises ValueError if the picture is no such array, or the time not finite; RuntimeError as
        `take` does.
        """
        ours = checked(picture)
        if not math.isfinite(pts):
            raise ValueError(f"pts is {pts}, expected seconds")
        frame = Frame(self._pushed, float(pts), time.monotonic(), ours)
        self._pushed += 1
        return self.take(frame)

    def recalibrate(self, calibrate: Calibrate) -> None:
        """From the next frame on, calibrated values are made so."""
        self._people.calibrate = calibrate

    @property
    def hears(self) -> bool:
        """Whether sound is read, where a source has any."""
        return self._audio is not None

    def listen(self, sound: Sound | None) -> None:
        """Hear this beside the frames to come; the sound so far is closed. None: nothing more.

        Raises RuntimeError if sound is not read.
        """
        if self._audio is not None:
            self._audio.listen(sound)
        elif sound is not None:
            raise RuntimeError("this Tracker reads no sound: build it with Options(sound=...)")

    def begin(self) -> None:
        """Forget the stream so far; for when no look is under way."""
        self._cuts.begin()
        self._forget()

    def _forget(self) -> None:
        """What steadies and follows; whoever looks ahead is in the new stream already."""
        for part in self._parts():
            if part is not self._cuts:
                part.begin()

    def close(self) -> None:
        """Free the models. Calling twice is harmless."""
        self._closed = True
        for part in self._parts():
            part.close()

    def __enter__(self) -> Tracker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _parts(self) -> tuple[Part, ...]:
        given = self._cuts, self._faces, self._people, self._scene, self._audio
        return tuple(part for part in given if part is not None)

    def _check_use(self) -> None:
        if self._closed:
            raise RuntimeError("this Tracker is closed; build another one")
        if os.getpid() != self._process:
            raise RuntimeError("a Tracker belongs to one process; build one after the fork")
        me = get_ident()
        self._thread = self._thread or me
        if self._thread != me:
            raise RuntimeError("a Tracker belongs to one thread; build one per thread")


@dataclass(slots=True)
class _Place:
    """Where in which stream the last frame stood."""

    stream: tuple[str, int] = ("", 0)  # its source, and how often that was taken up
    pts: float = float("-inf")  # s

    def leads_to_another_stream(self, frame: Frame) -> bool:
        """Whether this frame, the last one from now on, belongs to a stream of its own."""
        stream = (frame.source, frame.taken_up)
        another = stream != self.stream or frame.pts < self.pts
        self.stream, self.pts = stream, frame.pts
        return another
