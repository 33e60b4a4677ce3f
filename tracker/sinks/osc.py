"""Results as Open Sound Control messages over UDP."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from tracker.sinks.base import SinkError
from tracker.sinks.column import Cell, Column
from tracker.sinks.rows import rows
from tracker.values import Step

FINE = 4  # decimals that a 32-bit float still holds for values up to 1000; more are sent as 64-bit
Row = Sequence[tuple[Column, Cell]]
log = logging.getLogger(__name__)


class Osc:
    """A bundle for the frame, then one for each face. What is missing is not sent.

    `/emotrack/timestamp 12.04` for columns of the frame, and `latency` and `faces`;
    `/emotrack/face/valence 3 0.41` for columns of a face, with its face_id first (nil if ids are
    left out). Raises SinkError if the host is not known. UDP never waits: what nobody hears is
    lost.
    """

    def __init__(self, host: str, port: int, header: Sequence[Column]) -> None:
        self._place = f"{host}:{port}"
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except OSError as wrong:
            raise SinkError(f"--osc {self._place}: {wrong.strerror}") from wrong
        self._family: socket.AddressFamily = found[0][0]
        self._to: Any = found[0][4]  # as its family writes it
        self._header = header
        self._socket: socket.socket | None = None
        self._failed = False

    def __enter__(self) -> Osc:
        self._socket = socket.socket(self._family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def write(self, step: Step) -> None:
        result = step.result
        for i, cells in enumerate(rows(result, self._header)):
            row = list(zip(self._header, cells, strict=True))
            if i == 0:
                self._send_frame(row, result.latency, len(result.people))
            if result.people:
                self._send_face(row)

    def _send_frame(self, row: Row, latency: float, faces: int) -> None:
        bundle = OscBundleBuilder(IMMEDIATELY)
        for column, cell in row:
            if not column.of_face and column.name != "success" and cell is not None:
                bundle.add_content(_message(f"/emotrack/{column.name}", [cell], column.decimals))
        bundle.add_content(_message("/emotrack/latency", [latency], FINE))
        bundle.add_content(_message("/emotrack/faces", [faces], 0))
        self._send(bundle)

    def _send_face(self, row: Row) -> None:
        face = next(cell for column, cell in row if column.name == "face_id")
        bundle = OscBundleBuilder(IMMEDIATELY)
        for column, cell in row:
            if column.of_face and column.name != "face_id" and cell is not None:
                address = f"/emotrack/face/{column.name}"
                bundle.add_content(_message(address, [face, cell], column.decimals))
        self._send(bundle)

    def _send(self, bundle: OscBundleBuilder) -> None:
        assert self._socket is not None, "written to outside its with block"
        try:
            with suppress(BlockingIOError):  # the system has no room for it now
                self._socket.sendto(bundle.build().dgram, self._to)
        except OSError as wrong:  # no way to there at the moment
            if not self._failed:
                log.warning("--osc %s: %s", self._place, wrong.strerror)
            self._failed = True


def _message(address: str, cells: Sequence[Cell], decimals: int) -> OscMessage:
    message = OscMessageBuilder(address)
    for cell in cells:
        fine = isinstance(cell, float) and decimals > FINE
        message.add_arg(cell, message.ARG_TYPE_DOUBLE if fine else None)
    return message.build()
