"""The values that flow through the tracker.

Conventions, stated once and used everywhere:

    time     float seconds; `pts` is stream time, never wall clock: the container's own clock for
             a file (a video that starts later than its sound keeps that offset)
    image    uint8 (H, W, 3), RGB, upright, treated as read-only
    picture  an image, or what makes one when it is asked to (`Planes`)
    box      float pixels in the full frame, half-open: x0 <= x < x1
    affect   valence and arousal, each in [-1, 1]
    missing  None for a value, an empty tuple for nobody; never 0
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.picture import Image as Image
from tracker.picture import Picture, as_rgb

Point = tuple[float, float]  # x, y, px in the full frame

EXPRESSIONS = (  # what a face shows: the eight classes of FER+ (Barsoum et al. 2016)
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
)

EMOTIONS = (  # what a picture makes its viewer feel: Mikels et al. (2005), in our order
    "amusement",
    "awe",
    "contentment",
    "excitement",
    "anger",
    "disgust",
    "fear",
    "sadness",
)

CATEGORIES = (  # what a person in a scene seems to feel: the 26 of EMOTIC (Kosti et al. 2017)
    *("affection", "anger", "annoyance", "anticipation", "aversion", "confidence"),
    *("disapproval", "disconnection", "disquietment", "doubt", "embarrassment", "engagement"),
    *("esteem", "excitement", "fatigue", "fear", "happiness", "pain", "peace", "pleasure"),
    *("sadness", "sensitivity", "suffering", "surprise", "sympathy", "yearning"),
)

BLENDSHAPES = (  # how far each movement has gone: MediaPipe's 52, in its order
    "neutral",
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight"),
    *("eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft",
      "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft",
      "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight"),
    *("jawForward", "jawLeft", "jawOpen", "jawRight"),
    *("mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft",
      "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft",
      "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight",
      "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
      "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight",
      "mouthUpperUpLeft", "mouthUpperUpRight"),
    *("noseSneerLeft", "noseSneerRight"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture. A gap in `index` means frames were left out before it."""

    index: int  # position in the source, from 0
    pts: float  # s
    arrived: float  # s, time.monotonic() when the decoder handed it over
    picture: Picture  # (H, W, 3)
    source: str = ""  # name of the input; another name is another stream
    taken_up: int = 0  # times the source was lost and found again; each begins another stream

    @property
    def image(self) -> Image:
        """(H, W, 3): the picture in RGB."""
        return as_rgb(self.picture)


@dataclass(frozen=True, slots=True)
class Box:
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Scores:
    """One number in [0, 1] per label; those that exclude each other sum to 1."""

    labels: tuple[str, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.values):
            raise ValueError(f"{len(self.labels)} labels but {len(self.values)} values")


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a head points, in degrees, as seen in the picture; 0 faces the camera."""

    pitch: float  # up is positive
    yaw: float  # towards the right of the picture is positive
    roll: float  # tilted clockwise in the picture is positive


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A dense face, from detectors that measure one."""

    points: NDArray[np.float32]  # (478, 3), px; z in the unit of x, smaller is nearer
    blendshapes: Scores  # BLENDSHAPES, independent of each other
    pose: Pose


@dataclass(frozen=True, slots=True)
class Detection:
    """A face in one picture, before anyone asks whose it is."""

    box: Box
    score: float | None  # detector confidence, [0, 1]; None: the picture was given as a face
    points: tuple[Point, ...] = ()  # eyes, nose, mouth corners; image-left first; () if unknown
    mesh: Mesh | None = None  # None: this detector measures none


@dataclass(frozen=True, slots=True)
class Face:
    """A detection with a name: `track` is one person from frame to frame, and is never reused."""

    track: int
    box: Box
    score: float | None
    points: tuple[Point, ...] = ()
    mesh: Mesh | None = None


@dataclass(frozen=True, slots=True)
class Affect:
    valence: float  # unpleasant -1 .. +1 pleasant
    arousal: float  # calm -1 .. +1 excited
    dominance: float | None = None  # controlled -1 .. +1 in control; None: this model has none


@dataclass(frozen=True, slots=True)
class Reading:
    """One affect, three ways. The later ones never replace the earlier."""

    raw: Affect  # the CNN's opinion of this picture alone
    smooth: Affect  # the memory's, given everything so far
    calibrated: Affect | None = None  # `smooth` through a profile or less a baseline
    spread: Affect | None = None  # standard deviation of `smooth`, as the memory states it


@dataclass(frozen=True, slots=True)
class ContextReading:
    """What a person seems to feel, from the body and the picture around it."""

    affect: Reading | None  # with dominance; None: this model has none
    categories: Scores | None  # CATEGORIES, independent of each other, of this picture alone


@dataclass(frozen=True, slots=True)
class PersonReading:
    """Expressed affect: what one person in view shows."""

    face: Face
    affect: Reading
    expression: Scores  # EXPRESSIONS, of this picture alone
    context: ContextReading | None = None  # None: no such model runs


@dataclass(frozen=True, slots=True, eq=False)
class SceneReading:
    """Evoked affect: what the whole picture does to its viewer. Held between two looks."""

    pts: float  # s, of the picture it was read from
    affect: Reading | None  # None, here and below: this model has no such output
    spread: Affect | None  # standard deviation between viewers, on the scale of `affect`
    emotions: Scores | None  # those of EMOTIONS that the model says, of that picture alone
    place: Scores | None  # "outdoor", and the types of place, which exclude each other
    # (10, h, w), if asked for: what each place of `area` adds to valence, arousal, EMOTIONS
    maps: NDArray[np.float32] | None = None
    area: Box | None = None  # px, comes with maps: the picture without its black bars


@dataclass(frozen=True, slots=True)
class AudioReading:
    """What the sound up to now says. Held between two looks."""

    pts: float  # s, end of the sound it was read from; never after the frame's
    level: float  # dBFS, at most 0
    voice: float | None  # probability that somebody speaks, [0, 1]
    arousal: float | None  # [-1, 1], smooth
    arousal_raw: float | None  # [-1, 1], of the last window alone


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody at the window had to say of a moment."""

    pts: float  # s, of the frame that was shown when the key was pressed
    text: str


@dataclass(frozen=True, slots=True)
class FrameResult:
    """Everything a sink may know about one frame. No people means nobody was seen."""

    index: int
    pts: float  # s
    latency: float  # s, from Frame.arrived to this result
    cut: bool  # first frame of a new shot
    people: tuple[PersonReading, ...]  # ordered by track
    source: str = ""  # Frame.source
    scene: SceneReading | None = None  # None: no such model runs
    audio: AudioReading | None = None  # None: no sound, or it is not read
    note: Note | None = None  # written down at this frame; of this moment or an earlier one


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A result beside the frame it came from, for those who draw. Keep results, not steps."""

    frame: Frame
    result: FrameResult
