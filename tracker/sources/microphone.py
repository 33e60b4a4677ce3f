"""Sound as it happens: from a microphone, or pushed by a program."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from tracker.handoff import Pause
from tracker.sound import Pending, Piece, sample_at
from tracker.sources.base import SourceError
from tracker.sources.mono import Mono
from tracker.values import Frame

HOLD = 0.04  # s by which the arrival of blocks may waver, and the two clocks drift apart
KEPT = 2000  # blocks that wait for a reader who is busy; at 10 ms each, 20 s
LATEST = 1.0  # s; a driver that says a block took longer to arrive does not know
AGAIN = 1.0  # s between two looks whether it still runs, and two attempts to take it up again
FAREWELL = 2.0  # s; a driver that is stuck must not hold up the exit
log = logging.getLogger(__name__)


class PushedSound:
    """Sound that somebody pushes, from any thread, beside the frames it belongs to.

    rate: samples/s of what is pushed. Raises ValueError if it is no such number.
    """

    def __init__(self, rate: int) -> None:
        if not rate >= 1 or rate % 1:
            raise ValueError(f"rate is {rate!r}, expected whole samples a second")
        self._rate = rate
        self._blocks: deque[tuple[float, NDArray[np.float32]]] = deque(maxlen=KEPT)
        self._zero = 0.0
        self._mono = Mono(HOLD)
        self._pending = Pending()

    def push(self, samples: NDArray[np.float32], pts: float) -> None:
        """samples: (n,), mono, -1..1; copied. pts: s, of the first of them, on the frames' clock.

        Raises ValueError if the array is no such thing, or the time or a sample no number.
        """
        if not isinstance(samples, np.ndarray):
            raise ValueError(f"sound is a {type(samples).__name__}, expected float32 (n,)")
        if samples.ndim != 1 or samples.dtype != np.float32:
            raise ValueError(f"sound is {samples.dtype} {samples.shape}, expected float32 (n,)")
        if not math.isfinite(pts):
            raise ValueError(f"pts is {pts}, expected seconds")
        if not np.isfinite(samples).all():
            raise ValueError("sound has samples that are no numbers")
        if samples.size:
            self._blocks.append((float(pts), samples.copy()))

    def begin(self, frame: Frame, zero: float = 0.0) -> None:
        """zero: what of the pushed times is the frames' 0."""
        self._zero = zero
        self._mono = Mono(HOLD)
        self._pending = Pending()

    def upto(self, pts: float) -> list[Piece]:
        for _ in range(len(self._blocks)):  # and none that come meanwhile: that might never end
            when, samples = self._blocks.popleft()
            block = AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
            block.sample_rate = self._rate
            self._pending.add(self._mono(block, when - self._zero))
        return self._pending.upto(sample_at(pts))

    def close(self) -> None:
        self._blocks.clear()


class Microphone:
    """A microphone that is open. Its blocks carry the monotonic clock, as a camera's frames do.

    One that stops is waited for and taken up again; the time between stays a hole in the sound.
    PortAudio sees what was plugged in only when it begins anew, which closes whatever else the
    process has open through sounddevice.

    which: "" for the system's own choice, a number, or a part of a name. Raises SourceError if
    there is none, or nothing to open it with.
    """

    def __init__(self, which: str = "") -> None:
        package = self._package = _sounddevice()
        self._device = int(which) if which.isdigit() else which or None
        try:
            about = package.query_devices(self._device, "input")
            self.name = str(about["name"])
            self._rate = int(about["default_samplerate"])
            self._heard = PushedSound(self._rate)
            self._stream = self._opened()
        except (OSError, ValueError, package.PortAudioError) as wrong:
            asked = f"microphone {which!r}" if which else "no microphone"
            raise SourceError(f"{asked} ({wrong})") from wrong
        self._pause = Pause()
        # Of its own: to open a microphone may take longer than a frame lasts.
        self._keeper = threading.Thread(target=self._keep, name="microphone", daemon=True)
        self._keeper.start()

    def begin(self, frame: Frame) -> None:
        self._heard.begin(frame, frame.arrived - frame.pts)

    def upto(self, pts: float) -> list[Piece]:
        return self._heard.upto(pts)

    def close(self) -> None:
        self._pause.end()
        self._keeper.join(FAREWELL)
        self._stream.close()
        self._heard.close()

    def _opened(self) -> Any:
        stream = self._package.InputStream(
            samplerate=self._rate,
            device=self._device,
            channels=1,
            dtype="float32",
            callback=self._take,
        )
        stream.start()
        return stream

    def _keep(self) -> None:
        lost: float | None = None  # s, on the monotonic clock
        while self._pause(AGAIN):
            if lost is None and not self._stream.active:
                lost = time.monotonic()
                log.warning("%s: the microphone stopped; waiting for it", self.name)
                self._stream.close()
            elif lost is not None and self._found_again():
                log.warning("%s: heard again after %.1f s", self.name, time.monotonic() - lost)
                lost = None

    def _found_again(self) -> bool:
        try:
            self._package._terminate()  # the only way to have the list of devices made anew
            self._package._initialize()
            self._stream = self._opened()
        except (OSError, ValueError, self._package.PortAudioError) as wrong:
            log.debug("%s: %s", self.name, wrong)
            return False
        return True

    def _take(self, block: NDArray[np.float32], count: int, when: Any, status: object) -> None:
        """In PortAudio's own thread. block: (count, 1), valid during this call only."""
        late = when.currentTime - when.inputBufferAdcTime
        if when.currentTime <= 0 or not 0 < late < LATEST:  # some drivers tell no times
            late = count / self._rate
        heard = np.nan_to_num(block[:, 0], posinf=1.0, neginf=-1.0)  # some give anything
        self._heard.push(heard, time.monotonic() - late)


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
