"""Results into Lab Streaming Layer: one stream of numbers, a sample per row of the table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from hashlib import sha256
from math import nan
from socket import gethostname

import pylsl

from tracker.sinks.base import SinkError
from tracker.sinks.column import Column
from tracker.sinks.rows import rows
from tracker.values import Step

# s; a stream that is there answers in 20 ms. Every half second liblsl 1.18 asks anew, and a search
# that is to end just then lasts for 5 s more.
ANSWERED = 0.3
LATENCY = "latency"  # the last channel: s from the frame's arrival to its result


class Lsl:
    """A stream of the type Affect, of irregular rate, found by its name on the local network.

    Its channels are the table's columns that hold numbers, in their order, and the latency; each
    with label and unit in the header. Missing is not a number. A frame gives one sample per face,
    or one without a face, all at the time when the frame arrived, on LSL's clock. Sending never
    waits: whoever does not read loses samples, a few minutes of them are kept.
    of: what is read, a camera or films; see `source_id`. Entering raises SinkError if another run
    sends the very same: whoever records it would take the two for one, or go from one to the other.
    """

    def __init__(self, name: str, header: Sequence[Column], of: str) -> None:
        self._name = name
        self._of = of
        self._header = [column for column in header if not column.words]
        self._outlet: pylsl.StreamOutlet | None = None

    def __enter__(self) -> Lsl:
        source = source_id(self._name, self._header, self._of)
        others = pylsl.resolve_byprop("source_id", source, timeout=ANSWERED)
        if others:
            raise SinkError(
                f"--lsl {self._name}: {others[0].hostname()} sends a stream of this name, of the "
                f"same input, already; give this one another NAME"
            )
        about = pylsl.StreamInfo(
            self._name,
            "Affect",
            len(self._header) + 1,
            pylsl.IRREGULAR_RATE,
            pylsl.cf_double64,
            source,
        )
        channels = about.desc().append_child("channels")
        named = [(column.name, column.unit) for column in self._header]
        for label, unit in [*named, (LATENCY, "s")]:
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            channel.append_child_value("unit", unit)
        self._outlet = pylsl.StreamOutlet(about)
        return self

    def __exit__(self, *_: object) -> None:
        self._outlet = None  # pylsl closes the stream with its last reference

    def write(self, step: Step) -> None:
        assert self._outlet is not None, "written to outside its with block"
        when = pylsl.local_clock() - (time.monotonic() - step.frame.arrived)
        for cells in rows(step.result, self._header):
            numbers = [nan if cell is None else float(cell) for cell in cells]
            self._outlet.push_sample([*numbers, step.result.latency], when)


def source_id(name: str, header: Sequence[Column], of: str) -> str:
    """What an inlet that has lost its stream looks for, and a recorder tells streams apart by.

    LSL wants it to identify the source of the data, so that it is found again "even after the
    serving app, device or computer crashes" (liblsl, `stream_info`). So no process or time is in
    it, but the machine, what is read, the stream's name and its columns: an inlet never goes on
    with another camera, nor takes one column for another. Hashed, as everybody may read it.
    """
    parts = gethostname(), name, of, *(column.name for column in header)
    return f"emotrack {sha256(repr(parts).encode()).hexdigest()[:16]}"
