"""The words of a run that feeds other programs: `--lsl`, `--osc`, `--ws`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Any

from tracker.run import Sink
from tracker.sinks.column import Column
from tracker.sinks.streams import open_lsl, open_osc, open_websocket
from tracker.sources.base import without_secrets


def add_arguments(add: Callable[..., Any]) -> None:
    """add: `ArgumentParser.add_argument`."""
    add("--lsl", type=_stream, metavar="NAME", help="a Lab Streaming Layer stream of this name")
    add("--osc", type=_place, metavar="HOST:PORT", help="OSC messages over UDP to this place")
    add("--ws", type=_port, metavar="[HOST:]PORT", help="a websocket (HOST: 127.0.0.1)")
    add("--ws-token", type=_name, metavar="WORD", help="which a websocket client must give")


def stream_sinks(given: argparse.Namespace, header: Sequence[Column]) -> list[Sink]:
    """Raises SinkError where a package of the extra `stream` is missing or a host not known."""
    streams: list[Sink] = []
    if given.lsl is not None:
        streams.append(open_lsl(given.lsl, header, _read(given)))
    if given.osc is not None:
        host, port = given.osc
        streams.append(open_osc(host, port, header))
    if given.ws is not None:
        host, port = given.ws
        streams.append(open_websocket(host, port, given.ws_token, header))
    return streams


def _read(given: argparse.Namespace) -> str:
    """What is read, for telling streams apart."""
    if given.webcam is not None:
        return f"camera {without_secrets(given.webcam)}"
    return "\n".join(os.path.realpath(name) for name in given.inputs)


def _name(word: str) -> str:
    if not word:
        raise argparse.ArgumentTypeError("is empty")
    return word


def _stream(word: str) -> str:
    if "'" in word:  # LSL looks for names by XPath, between such quotes
        raise argparse.ArgumentTypeError(f"{word!r} holds a ', and would not be found")
    return _name(word)


def _place(word: str) -> tuple[str, int]:
    host, _, port = word.rpartition(":")
    if not (host and port.isdigit() and 0 < int(port) < 65536):
        raise argparse.ArgumentTypeError(f"{word!r} is no place such as 127.0.0.1:9000")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _port(word: str) -> tuple[str, int]:
    return _place(word if ":" in word else f"127.0.0.1:{word}")
