"""`emotrack calibrate neutral INPUT...` or `--webcam`: a person's resting face, into a profile."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from calibration.baseline import (
    LEAST_SECONDS,
    BaselineError,
    Rest,
    measure,
    networks_of,
    origin_of,
    save_person,
)
from tracker.api import build
from tracker.commands.interrupt import Interrupt
from tracker.commands.outputs import check_outputs
from tracker.handoff import Waiting
from tracker.options import FACES, Options
from tracker.pipeline import Tracker
from tracker.profile import check_networks
from tracker.profile_file import load_profile
from tracker.run import follow
from tracker.sources import Source, Span, open_camera, open_source
from tracker.values import FrameResult

DONE, FAILED, PARTLY = 0, 2, 3
SECONDS = 10.0  # s of a camera
EPILOG = """\
The person looks into the camera and does nothing, for ten seconds or in a few photos. In each
film whoever is seen longest counts, in each photo the largest face. An existing FILE gains the
person, or has them replaced; everyone else in it stays. It holds numbers, names and the sums of
the inputs; no picture.
"""


def main(words: list[str]) -> int:
    given = _parsed(words)
    chosen = {name: getattr(given, name) for name in ("faces", "detector") if getattr(given, name)}
    sources: list[Source] = []
    with build(Options(**chosen, scene=None)) as tracker:
        networks = networks_of(tracker.models)
        if given.out.exists():  # before the work, not after it
            check_networks(load_profile(given.out), networks)
        try:
            rest = measure(_results(given, tracker, sources))
        except BaselineError as wrong:
            names = given.inputs or [source.report.about[0]["name"] for source in sources]
            print(f"emotrack: {', '.join(names)}: {wrong}", file=sys.stderr)
            return FAILED
    made_from = [origin_of(about) for source in sources for about in source.report.about]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    save_person(given.out, given.person, rest, networks=networks, made_from=made_from, now=now)
    print(_said(given.out, given.person, rest))
    return PARTLY if any(source.report.errors for source in sources) else DONE


def _results(
    given: argparse.Namespace, tracker: Tracker, sources: list[Source]
) -> Iterator[FrameResult]:
    """What all inputs show; `sources` gains each as it is opened. Notes go to standard error."""
    if given.webcam is not None:
        camera = open_camera(given.webcam)
        sources.append(camera)
        yield from _seen(camera, tracker, given.seconds)
        return
    for name in given.inputs:
        source = open_source(name, Span(given.start, given.end), alone=len(given.inputs) == 1)
        sources.append(source)
        for step in follow(source, tracker):
            yield step.result
        for note in source.report.notes:
            _say(note)


def _seen(camera: Source, tracker: Tracker, seconds: float) -> Iterator[FrameResult]:
    """What a camera shows for so long from its first picture on. Ctrl-C ends it with nothing."""

    def give_up() -> None:
        if isinstance(camera, Waiting):
            camera.give_up()

    begin: float | None = None
    with closing(follow(camera, tracker)) as steps, Interrupt(give_up) as interrupt:
        for step in steps:
            interrupt.check()
            if begin is None:
                begin = step.result.pts
                _say(f"look into the camera for {seconds:g} s, and do nothing")
            if step.result.pts - begin > seconds:
                return
            yield step.result
        interrupt.check()


def _say(line: str) -> None:
    print(f"emotrack: {line}", file=sys.stderr)


def _said(out: Path, person: str, rest: Rest) -> str:
    line = (
        f"{out.name}: {person} at rest: valence {rest.neutral.valence:+z.2f} "
        f"(range {rest.range.valence:.2f}), arousal {rest.neutral.arousal:+z.2f} "
        f"(range {rest.range.arousal:.2f}); {rest.frames} frames, {rest.seconds:.1f} s"
    )
    return f"{line}; {rest.others} others left out" if rest.others else line


def _name(word: str) -> str:
    if not word or "=" in word or word != word.strip():
        raise argparse.ArgumentTypeError(f"{word!r} is no name: no =, no outer spaces, not empty")
    return word


def _parsed(words: list[str]) -> argparse.Namespace:
    parser = _parser()
    given = parser.parse_args(words)
    camera = given.webcam is not None
    if camera == bool(given.inputs):
        parser.error("name an INPUT, or --webcam" + (", not both" if camera else ""))
    try:
        Span(given.start, given.end)
    except ValueError as wrong:
        parser.error(f"--{wrong}")
    if given.start is not None and given.end is not None and given.end <= given.start:
        parser.error(f"--end {given.end:g} is not after --start {given.start:g}")
    if camera and (given.start, given.end) != (None, None):
        parser.error("--start and --end are for films; --webcam takes --seconds")
    if not camera and given.seconds is not None:
        parser.error("--seconds is for --webcam; films take --start and --end")
    check_outputs(parser, (str(given.out),), map(Path, given.inputs))
    given.seconds = SECONDS if given.seconds is None else given.seconds
    if not given.seconds >= LEAST_SECONDS:
        parser.error(f"--seconds {given.seconds:g}: a neutral needs {LEAST_SECONDS:g} or more")
    return given


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emotrack calibrate neutral",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("inputs", nargs="*", metavar="INPUT", help="film, photo, or folder of photos")
    add(
        "--webcam",
        nargs="?",
        const="",
        metavar="CAMERA",
        help="instead of INPUT: the first camera, or its number, a part of its name, or a URL",
    )
    add("--seconds", type=float, metavar="S", help="of the camera (default: 10)")
    add("--out", type=Path, required=True, metavar="FILE", help="the profile, JSON")
    add("--person", type=_name, default="me", metavar="NAME", help="whose face (default: me)")
    add("--start", type=float, metavar="S", help="begin at this time of the film, in seconds")
    add("--end", type=float, metavar="S", help="stop before this time, in seconds")
    add("--faces", choices=FACES, help="whole: each picture is a face crop (default: detect)")
    add("--detector", metavar="NAME", help="builtin (default), yunet or mediapipe")
    return parser
