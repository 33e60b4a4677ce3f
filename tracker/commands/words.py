"""The words of `emotrack INPUT...`: which there are, and which go together."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tracker.commands import pictures, streams
from tracker.commands.engine import add_engine
from tracker.commands.outputs import identity
from tracker.options import BASELINES, FACES, SOUND
from tracker.sinks.sidecar import sidecar_path
from tracker.sources.base import PHOTOS, Span, without_secrets

EPILOG = """\
commands:
  emotrack cameras | microphones                    what there is, for --webcam, --microphone
  emotrack models list | pull NAME | path NAME      model files: shipped and fetched
  emotrack engines [build]                          what can read here, and how fast
  emotrack calibrate neutral INPUT... --out FILE    a person's resting face, for --profile
  emotrack eval faces PICTURES [--labels FILE]      agreement with labels
  emotrack eval traces PREDICTIONS GOLD             agreement over time, file by file
  emotrack smooth READINGS --out FILE               the memory over any table
  emotrack calibrate raters READINGS RATINGS...     each rater's delay, scale and weight

exit codes:
  0 done   2 nothing could be read or written, or a wrong command
  3 done as far as the input could be read, or its table be written
  130 stopped with Ctrl-C, SIGTERM or SIGHUP
"""


def parsed(words: list[str]) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """The parser too, whose `error` ends the program for what is found wrong later."""
    parser = _parser()
    given = parser.parse_args(words)
    _check_inputs(parser, given)
    _check_reading(parser, given)
    _check_outputs(parser, given)
    pictures.check(parser, given)
    return parser, given


def told_on(words: list[str]) -> list[str]:
    """The command as it may be written down: without passwords in addresses, and the token."""
    told = []
    for before, word in zip(["", *words], words, strict=False):
        secret = before == "--ws-token" or word.startswith("--ws-token=")
        told.append("***" if secret else without_secrets(word))
    return told


def _check_inputs(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    camera = given.webcam is not None
    if not camera and not given.inputs:
        parser.error("name an INPUT, or --webcam")
    if camera and given.inputs:
        parser.error(f"--webcam and {given.inputs[0]} exclude each other")
    for name in ("start", "end", "every", "live"):
        if camera and getattr(given, name) not in (None, False):
            parser.error(f"--{name} is for films, not for --webcam")
    if given.show and given.no_window:
        parser.error("--show and --no-window exclude each other")
    stills = [name for name in given.inputs if _is_still(name)]
    if given.show and stills:
        parser.error(f"--show is for films and cameras; {stills[0]} is no film")
    for name in ("start", "end", "every"):
        if stills and stills == given.inputs and getattr(given, name) is not None:
            parser.error(f"--{name} is for films; {stills[0]} is no film")
    for name in ("size", "rate", "microphone"):
        if not camera and getattr(given, name) is not None:
            parser.error(f"--{name} is asked of a camera: --webcam")
    if given.sound is None and (given.listen or given.microphone is not None):
        given.sound = SOUND
    try:
        Span(given.start, given.end, given.every)
    except ValueError as wrong:
        parser.error(f"--{wrong}")
    if given.start is not None and given.end is not None and given.end <= given.start:
        parser.error(f"--end {given.end:g} is not after --start {given.start:g}")


def _check_reading(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    if given.faces == "whole" and given.scene not in (None, "none"):
        parser.error(f"--scene {given.scene}: with --faces whole there is no scene to read")
    for name in ("detector", "detector_size", "min_confidence"):
        if given.faces == "whole" and getattr(given, name) is not None:
            flag = f"--{name.replace('_', '-')}"
            parser.error(f"{flag} {getattr(given, name)}: with --faces whole nothing is detected")
    for name, value in (("person", given.person), ("rater", given.rater)):
        if value and given.profile is None:
            parser.error(f"--{name} is of a profile: --profile FILE")
    if given.no_faces_out and given.person:
        parser.error(f"--no-faces-out and --person {given.person[0]} exclude each other")
    if given.ws_token is not None and given.ws is None:
        parser.error("--ws-token is asked of the clients of a websocket: --ws")


def _check_outputs(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    for kind in ("csv", "jsonl", "explain", "report"):
        if getattr(given, kind) == "":
            parser.error(f"--{kind} names no file")
    outputs = [Path(t) for t in (given.csv, given.jsonl) if t not in (None, "-")]
    sidecars = [sidecar_path(path) for path in outputs]
    drawn = [Path(t) for t in (given.explain, given.report) if t is not None]
    read = [*given.inputs, *(name for name in (given.profile, given.context, given.scene) if name)]
    taken = {identity(name) for name in read}
    written = [identity(path) for path in (*outputs, *sidecars, *drawn)]
    for path, same in zip((*outputs, *sidecars, *drawn), written, strict=True):
        if same in taken:
            parser.error(f"{path.name} is an input; it would be overwritten")
    if given.csv is not None and given.csv == given.jsonl:
        parser.error("--csv and --jsonl name the same output")
    for path in drawn:
        if written.count(identity(path)) > 1:
            parser.error(f"{path.name} is named for two outputs")
    if len({identity(path) for path in sidecars}) < len(sidecars):
        parser.error("--csv and --jsonl would share one .meta.json; give them different stems")


def _is_still(name: str) -> bool:
    return os.path.isdir(name) or Path(name).suffix.lower() in PHOTOS


def _size(word: str) -> tuple[int, int]:
    width, _, height = word.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"{word!r} is no size such as 1280x720")
    return int(width), int(height)


def _rate(word: str) -> float:
    try:
        rate = float(word)
    except ValueError:
        rate = 0.0
    if not 0 < rate < 1000:
        raise argparse.ArgumentTypeError(f"{word!r} is no rate such as 30")
    return rate


def _add_inputs(add: Callable[..., Any]) -> None:
    add("inputs", nargs="*", metavar="INPUT", help="film, photo, or folder of photos")
    add(
        "--webcam",
        nargs="?",
        const="",
        metavar="CAMERA",
        help="instead of INPUT: the first camera, or its number, a part of its name, or a URL",
    )
    add("--size", type=_size, metavar="WxH", help="ask this of the camera, e.g. 1920x1080")
    add("--rate", type=_rate, metavar="R", help="ask this of the camera, in frames a second")
    add("--live", action="store_true", help="play a film by its own clock, as if by a camera")
    add("--show", action="store_true", help="watch in a window; a camera is watched anyway")
    add("--no-window", action="store_true", help="--webcam without a window")
    add("--start", type=float, metavar="S", help="begin at this time of the film, in seconds")
    add("--end", type=float, metavar="S", help="stop before this time, in seconds")
    add("--every", type=float, metavar="S", help="one frame per so many seconds of the film")


def _add_reading(add: Callable[..., Any]) -> None:
    add("--faces", choices=FACES, help="whole: each picture is a face crop (default: detect)")
    add(
        "--face",
        metavar="NAME",
        help="face network (default: face-s, on a CPU in int8)",
    )
    add("--detector", metavar="NAME", help="builtin (default), yunet or mediapipe")
    add(
        "--detector-size",
        type=int,
        metavar="PX",
        help="long side of the picture that it looks at (default: 320); 640 finds faces of half "
        "the size in three times its time",
    )
    add("--min-confidence", type=float, metavar="P", help="below it there is no face, 0..1")
    add("--context", metavar="NAME", help="also each person in context: a model, or its card.json")
    add("--scene", metavar="NAME", help="what the picture evokes: a model, its card.json, or none")
    add("--scene-interval", type=float, metavar="S", help="film seconds between two looks at it")
    add(
        "--sound",
        action="store_true",
        dest="listen",
        help="also the sound track, or the microphone of --webcam: level, voice, arousal",
    )
    add(
        "--sound-model",
        dest="sound",
        metavar="NAME",
        help="the same with another network: speech-s (not for commercial use)",
    )
    add(
        "--microphone",
        metavar="NAME",
        help="the same with this one: its number, a part of its name",
    )


def _add_calibration(add: Callable[..., Any]) -> None:
    add("--profile", metavar="FILE", help="fill valence_cal, arousal_cal from this profile")
    add(
        "--person",
        action="append",
        default=[],
        metavar="[TRACK=]NAME",
        help="whose face it is, of the profile: every face, or one track; may be repeated",
    )
    add("--rater", metavar="NAME", help="whose judgement to imitate, of the profile")
    add("--baseline", choices=BASELINES, help="instead: each face less its own running neutral")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emotrack",
        usage="%(prog)s INPUT... [options], or %(prog)s --webcam [CAMERA] [options]",
        description="Valence, arousal and expression of every face in films, photos and cameras.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    version = importlib.metadata.version("emotrack")
    add = parser.add_argument
    _add_inputs(add)
    add("--csv", metavar="FILE", help="write a table, a row per face and frame (- for stdout)")
    add("--jsonl", metavar="FILE", help="the same rows as JSON lines (- for stdout)")
    pictures.add_arguments(add)
    streams.add_arguments(add)
    add("--no-faces-out", action="store_true", help="no face_id: nobody can be followed")
    _add_reading(add)
    _add_calibration(add)
    add_engine(parser)
    add("--quiet", action="store_true", help="no progress bar")
    add("--version", action="version", version=f"emotrack {version}")
    return parser
