"""Sound as it happens: from a microphone, or pushed by a program."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from tracker.sound import Pending, Piece, sample_at
from tracker.sources.base import SourceError
from tracker.sources.mono import Mono
from tracker.values import Frame

HOLD = 0.04  # s by which the arrival of blocks may waver, and the two clocks drift apart
KEPT = 2000  # blocks that wait for a reader who is busy; at 10 ms each, 20 s
LATEST = 1.0  # s; a driver that says a block took longer to arrive does not know
log = logging.getLogger(__name__)


class PushedSound:
    """Sound that somebody pushes, from any thread, beside the frames it belongs to.

    rate: samples/s of what is pushed.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._blocks: deque[tuple[float, NDArray[np.float32]]] = deque(maxlen=KEPT)
        self._zero = 0.0
        self._mono = Mono(HOLD)
        self._pending = Pending()

    def push(self, samples: NDArray[np.float32], pts: float) -> None:
        """samples: (n,), mono, -1..1. pts: s, of the first of them, on the frames' clock.

        Raises ValueError if the array is no such thing.
        """
        if samples.ndim != 1 or samples.dtype != np.float32:
            raise ValueError(f"sound is {samples.dtype} {samples.shape}, expected float32 (n,)")
        if samples.size:
            self._blocks.append((pts, samples))

    def begin(self, frame: Frame, zero: float = 0.0) -> None:
        """zero: what of the pushed times is the frames' 0."""
        self._zero = zero
        self._mono = Mono(HOLD)
        self._pending = Pending()

    def upto(self, pts: float) -> list[Piece]:
        while self._blocks:
            when, samples = self._blocks.popleft()
            block = AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
            block.sample_rate = self._rate
            self._pending.add(self._mono(block, when - self._zero))
        return self._pending.upto(sample_at(pts))

    def close(self) -> None:
        self._blocks.clear()


class Microphone:
    """A microphone that is open. Its blocks carry the monotonic clock, as a camera's frames do.

    which: "" for the system's own choice, a number, or a part of a name. Raises SourceError if
    there is none, or nothing to open it with.
    """

    def __init__(self, which: str = "") -> None:
        package = _sounddevice()
        device = int(which) if which.isdigit() else which or None
        self._lost = False
        try:
            about = package.query_devices(device, "input")
            self.name = str(about["name"])
            self._rate = int(about["default_samplerate"])
            self._heard = PushedSound(self._rate)
            self._stream = package.InputStream(
                samplerate=self._rate,
                device=device,
                channels=1,
                dtype="float32",
                callback=self._take,
            )
            self._stream.start()
        except (OSError, ValueError, package.PortAudioError) as wrong:
            asked = f"microphone {which!r}" if which else "no microphone"
            raise SourceError(f"{asked} ({wrong})") from wrong

    def begin(self, frame: Frame) -> None:
        self._heard.begin(frame, frame.arrived - frame.pts)

    def upto(self, pts: float) -> list[Piece]:
        if not self._stream.active and not self._lost:
            self._lost = True
            log.warning("%s: the microphone stopped; no sound from here on", self.name)
        return self._heard.upto(pts)

    def close(self) -> None:
        self._stream.close()
        self._heard.close()

    def _take(self, block: NDArray[np.float32], count: int, when: Any, status: object) -> None:
        """In PortAudio's own thread. block: (count, 1), valid during this call only."""
        late = when.currentTime - when.inputBufferAdcTime
        if when.currentTime <= 0 or not 0 < late < LATEST:  # some drivers tell no times
            late = count / self._rate
        self._heard.push(block[:, 0].copy(), time.monotonic() - late)


def open_microphone(which: str = "") -> Microphone | None:
    """None, and one line in the log saying why, if there is none to open: video goes on."""
    try:
        return Microphone(which)
    except SourceError as wrong:
        log.warning("no sound: %s", wrong)
        return None


@dataclass(frozen=True, slots=True)
class MicrophoneName:
    index: int
    name: str
    rate: float  # samples/s
    chosen: bool  # by the system, where nobody names one


def microphones() -> list[MicrophoneName]:
    """Raises SourceError if sounddevice or PortAudio is missing."""
    package = _sounddevice()
    usual = package.default.device[0]
    return [
        MicrophoneName(i, about["name"], about["default_samplerate"], i == usual)
        for i, about in enumerate(package.query_devices())
        if about["max_input_channels"] > 0
    ]


def _sounddevice() -> Any:
    """The package; its import fails without PortAudio."""
    try:
        import sounddevice
    except ModuleNotFoundError as absent:
        if absent.name != "sounddevice":
            raise
        raise SourceError(
            "a microphone needs sounddevice: pip install 'emotrack[audio]'"
        ) from absent
    except OSError as absent:
        raise SourceError(f"{absent}; on Debian and Ubuntu: apt install libportaudio2") from absent
    return sounddevice
