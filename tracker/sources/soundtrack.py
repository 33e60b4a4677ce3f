"""The sound of a film: the same file, opened a second time, read in step with the frames."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from tracker.sound import Pending, Piece, sample_at
from tracker.sources.base import Report, address
from tracker.sources.mono import Mono
from tracker.values import Frame

BEFORE = 10.0  # s heard before the first frame, so that a film begun in its middle reads alike


class SoundTrack:
    """The first sound track of a film, on the container's own clock.

    No track, or a damaged one, is a line in `report`; the film goes on without.

    patience: s without an answer after which a network address is given up.
    """

    def __init__(
        self, name: str, place: Path | str, report: Report, patience: float | None = None
    ) -> None:
        self._name = name
        self._place = place
        self._patience = patience
        self._report = report
        self._decoding: Generator[list[Piece], None, None] | None = None
        self._pending = Pending()

    def begin(self, frame: Frame) -> None:
        self.close()
        self._pending = Pending()
        self._decoding = self._pieces(frame.pts - BEFORE)

    def upto(self, pts: float) -> list[Piece]:
        end = sample_at(pts)
        while self._decoding is not None and self._pending.end < end:
            pieces = next(self._decoding, None)
            if pieces is None:
                self._decoding = None
            else:
                self._pending.add(pieces)
        return self._pending.upto(end)

    def close(self) -> None:
        if self._decoding is not None:
            self._decoding.close()
            self._decoding = None

    def _pieces(self, start: float) -> Generator[list[Piece], None, None]:
        mono = Mono()
        for decoded in self._decoded(start):
            pts = None
            if decoded.pts is not None and decoded.time_base is not None:
                pts = float(decoded.pts * decoded.time_base)
            try:
                yield mono(decoded, pts)
            except (av.FFmpegError, ValueError):
                self._damaged(pts)
        yield mono.rest()

    def _decoded(self, start: float) -> Iterator[AudioFrame]:
        try:
            container = av.open(address(self._place), timeout=self._patience)
        except (av.FFmpegError, OSError, ValueError) as wrong:
            self._say(f"its sound cannot be opened ({wrong})")
            return
        with container:
            stream = next(iter(container.streams.audio), None)
            if stream is None:
                self._say("no sound track")
            elif stream.codec_context is None:
                self._say("nothing here can decode its sound")
            else:
                if start > 0 and stream.time_base is not None:
                    with suppress(av.FFmpegError):  # no index: read from the beginning
                        container.seek(int(start / stream.time_base), stream=stream)
                yield from self._frames(container, stream)

    def _frames(self, container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
        packets = container.demux(stream)
        last: float | None = None  # s
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                if last is None and not self._report.sound_errors:
                    self._say("no sound in its sound track")
                return
            except (av.FFmpegError, ValueError):
                self._damaged(last)
                return
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                self._damaged(last)
                continue
            for frame in frames:
                last = frame.time or 0.0
                yield frame

    def _damaged(self, pts: float | None) -> None:
        if not self._report.sound_errors:
            where = "from its beginning" if pts is None else f"at {pts:.3f} s"
            self._report.note(f"{self._name}: its sound is damaged {where}; what can be read is")
        self._report.sound_errors += 1

    def _say(self, what: str) -> None:
        line = f"{self._name}: {what}; the audio columns stay empty"
        if line not in self._report.notes:  # a film may be played again and again
            self._report.note(line)


def describe_sound(container: InputContainer) -> dict[str, Any]:
    """For the sidecar: what `SoundTrack` would read; all None if there is none."""
    stream = next(iter(container.streams.audio), None)
    if stream is None or stream.codec_context is None:
        return dict.fromkeys(("audio_codec", "audio_rate", "audio_channels", "audio_start"))
    base, start = stream.time_base, stream.start_time
    return {
        "audio_codec": stream.codec_context.codec.canonical_name,
        "audio_rate": stream.codec_context.sample_rate,
        "audio_channels": stream.codec_context.layout.nb_channels,
        "audio_start": None if base is None or start is None else float(start * base),
    }
