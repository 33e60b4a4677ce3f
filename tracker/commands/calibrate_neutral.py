"""`emotrack calibrate neutral INPUT... --out me.json`: a person's resting face, into a profile."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from calibration.baseline import BaselineError, Rest, measure, save_person
from tracker.api import FACES, Options, build
from tracker.models import ModelUse, hash_file
from tracker.pipeline import Tracker, follow
from tracker.profile import Networks, Origin, check_networks
from tracker.profile_file import load_profile
from tracker.sources import Source, Span, open_source
from tracker.values import FrameResult

DONE, FAILED, PARTLY = 0, 2, 3
EPILOG = """\
The person looks into the camera and does nothing, for ten seconds or in a few photos. In each
film whoever is seen longest counts, in each photo the largest face. An existing FILE gains the
person, or has them replaced; everyone else in it stays. It holds numbers, names and the sums of
the inputs; no picture.
"""


def main(words: list[str]) -> int:
    parser = _parser()
    given = parser.parse_args(words)
    if given.start is not None and given.end is not None and given.end <= given.start:
        parser.error(f"--end {given.end:g} is not after --start {given.start:g}")
    chosen = {name: getattr(given, name) for name in ("faces", "detector") if getattr(given, name)}
    with build(Options(**chosen, scene=None)) as tracker:
        networks = _networks(tracker.models)
        if given.out.exists():  # before the work, not after it
            check_networks(load_profile(given.out), networks)
        sources: list[Source] = []
        try:
            rest = measure(_results(given.inputs, Span(given.start, given.end), tracker, sources))
        except BaselineError as wrong:
            print(f"emotrack: {', '.join(given.inputs)}: {wrong}", file=sys.stderr)
            return FAILED
    made_from = [_origin(about["path"]) for source in sources for about in source.report.about]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    save_person(given.out, given.person, rest, networks=networks, made_from=made_from, now=now)
    print(_said(given.out, given.person, rest))
    return PARTLY if any(source.report.errors for source in sources) else DONE


def _results(
    names: Sequence[str], span: Span, tracker: Tracker, sources: list[Source]
) -> Iterator[FrameResult]:
    """What all inputs show; `sources` gains each as it is opened. Notes go to standard error."""
    for name in names:
        source = open_source(name, span, alone=len(names) == 1)
        sources.append(source)
        for step in follow(source, tracker):
            yield step.result
        for note in source.report.notes:
            print(f"emotrack: {note}", file=sys.stderr)


def _networks(models: Sequence[ModelUse]) -> Networks:
    sums = {model.role: model.sha256 for model in models}
    return Networks(sums["face"], sums["memory"])


def _origin(path: Path) -> Origin:
    return Origin(path.name, hash_file(path))


def _said(out: Path, person: str, rest: Rest) -> str:
    line = (
        f"{out.name}: {person} at rest: valence {rest.neutral.valence:+.2f} "
        f"(range {rest.range.valence:.2f}), arousal {rest.neutral.arousal:+.2f} "
        f"(range {rest.range.arousal:.2f}); {rest.frames} frames, {rest.seconds:.1f} s"
    )
    return f"{line}; {rest.others} others left out" if rest.others else line


def _name(word: str) -> str:
    if not word or "=" in word or word != word.strip():
        raise argparse.ArgumentTypeError(f"{word!r} is no name: no =, no outer spaces, not empty")
    return word


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emotrack calibrate neutral",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT", help="film, photo, or folder of photos")
    add("--out", type=Path, required=True, metavar="FILE", help="the profile, JSON")
    add("--person", type=_name, default="me", metavar="NAME", help="whose face (default: me)")
    add("--start", type=float, metavar="S", help="begin at this time of the film, in seconds")
    add("--end", type=float, metavar="S", help="stop before this time, in seconds")
    add("--faces", choices=FACES, help="whole: each picture is a face crop (default: detect)")
    add("--detector", metavar="NAME", help="builtin (default), yunet or mediapipe")
    return parser
