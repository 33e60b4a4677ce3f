"""`emotrack INPUT...`: read films and photos, write tables, or print a summary."""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tracker.api import BASELINES, FACES, Options, build
from tracker.commands.interrupt import Interrupt
from tracker.commands.summary import Summary
from tracker.pipeline import Sink, Tracker, follow, record
from tracker.sinks.rows import columns
from tracker.sinks.sidecar import Sidecar, sidecar_path
from tracker.sinks.tables import csv_table, json_lines
from tracker.sinks.unfilled import unfilled
from tracker.sources import Source, SourceError, Span, open_source
from tracker.values import Step

OPTIONS = (
    *("detector", "faces", "min_confidence", "context", "profile", "rater", "baseline"),
    *("scene", "scene_interval"),
)
TABLES = {"csv": csv_table, "jsonl": json_lines}
DONE, FAILED, PARTLY = 0, 2, 3
EPILOG = """\
commands:
  emotrack models list | pull NAME | path NAME      model files: shipped and fetched
  emotrack calibrate neutral INPUT... --out FILE    a person's resting face, for --profile
  emotrack eval faces PICTURES [--labels FILE]      agreement with labels
  emotrack eval traces PREDICTIONS GOLD             agreement over time, file by file
  emotrack smooth READINGS --out FILE               the memory over any table
  emotrack calibrate raters READINGS RATINGS...     each rater's delay, scale and weight

exit codes:
  0 done   2 nothing could be read or written, or a wrong command
  3 done as far as the input could be read   130 stopped with Ctrl-C
"""


def main(words: list[str]) -> int:
    parser = _parser()
    given = parser.parse_args(words)
    span = Span(given.start, given.end, given.every)
    _check(parser, given)
    chosen = {name: getattr(given, name) for name in OPTIONS if getattr(given, name) is not None}
    if given.scene == "none":
        chosen["scene"] = None
    try:
        options = Options(**chosen, person=tuple(given.person))
    except ValueError as wrong:
        parser.error(str(wrong))
    outputs = {kind: getattr(given, kind) for kind in TABLES if getattr(given, kind) is not None}
    with build(options) as tracker:
        about = {
            "emotrack": importlib.metadata.version("emotrack"),
            "command": ["emotrack", *words],
            "options": asdict(options)
            | {"profile": options.profile and Path(options.profile).name}
            | {"context": options.context and Path(options.context).name}
            | {"scene": options.scene and Path(options.scene).name},
            "span": asdict(span),
            "models": [asdict(model) for model in tracker.models],
            "profile": tracker.profile and asdict(tracker.profile),
        }
        calibrated = options.profile is not None or options.baseline is not None
        empty = unfilled(tracker.models, calibrated=calibrated)
        return _Run(tracker, given.inputs, span, quiet=given.quiet).go(outputs, about, empty)


class _Run:
    """One command: the inputs in turn, into all outputs."""

    def __init__(self, tracker: Tracker, names: Sequence[str], span: Span, *, quiet: bool) -> None:
        self._tracker = tracker
        self._names = names
        self._span = span
        self._quiet = quiet
        self._failed = 0
        self._sources: list[Source] = []

    def go(
        self, outputs: Mapping[str, str], about: Mapping[str, Any], empty: Mapping[str, str]
    ) -> int:
        """outputs: format -> file, or "-" for standard output. Returns the exit code.

        empty: column -> why no row can fill it.
        """
        header = columns(
            source=len(self._names) > 1 or Path(self._names[0]).is_dir(),
            mesh=self._tracker.mesh,
            context=self._tracker.context,
            scene=self._tracker.reads_scene,
        )
        sinks: list[Sink] = []
        for kind, target in outputs.items():
            table = TABLES[kind](target, header)
            sinks.append(table)
            if target != "-":
                sinks.append(Sidecar(Path(target), table, about, self._sources, empty))
        summary = Summary()
        with closing(record(self._steps(), sinks)) as steps, Interrupt() as interrupt:
            for step in steps:
                summary.add(step.result)
                interrupt.check()
        if not any(source.report.frames for source in self._sources):
            return FAILED
        if not sinks:
            print(summary.text())
        damaged = self._failed or any(source.report.errors for source in self._sources)
        return PARTLY if damaged else DONE

    def _steps(self) -> Generator[Step, None, None]:
        for name in self._names:
            try:
                source = open_source(name, self._span, alone=len(self._names) == 1)
                self._sources.append(source)
                yield from self._shown(name, source)
            except SourceError as wrong:
                self._failed += 1
                _say(str(wrong))

    def _shown(self, name: str, source: Source) -> Generator[Step, None, None]:
        """The steps of one source, with a progress bar and what it had to say afterwards."""
        hidden = self._quiet or not sys.stderr.isatty()
        with tqdm(total=source.expected, unit="frame", desc=name, disable=hidden) as bar:
            try:
                for step in follow(source, self._tracker):
                    yield step
                    bar.update()
            finally:
                bar.close()
                for note in source.report.notes:
                    _say(note)


def _say(line: str) -> None:
    print(f"emotrack: {line}", file=sys.stderr)


def _check(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    if given.start is not None and given.end is not None and given.end <= given.start:
        parser.error(f"--end {given.end:g} is not after --start {given.start:g}")
    if given.faces == "whole" and given.scene not in (None, "none"):
        parser.error(f"--scene {given.scene}: with --faces whole there is no scene to read")
    if given.every is not None and not given.every > 0:
        parser.error(f"--every {given.every:g} is not more than 0 seconds")
    outputs = [Path(t).resolve() for t in (given.csv, given.jsonl) if t not in (None, "-")]
    sidecars = [sidecar_path(path) for path in outputs]
    read = [*given.inputs, *(name for name in (given.profile, given.context, given.scene) if name)]
    taken = {Path(name).resolve() for name in read}
    for path in (*outputs, *sidecars):
        if path in taken:
            parser.error(f"{path.name} is an input; it would be overwritten")
    if given.csv is not None and given.csv == given.jsonl:
        parser.error("--csv and --jsonl name the same output")
    if len(set(sidecars)) < len(sidecars):
        parser.error("--csv and --jsonl would share one .meta.json; give them different stems")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emotrack",
        description="Valence, arousal and expression of every face in films and photos.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    version = importlib.metadata.version("emotrack")
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT", help="film, photo, or folder of photos")
    add("--csv", metavar="FILE", help="write a table, a row per face and frame (- for stdout)")
    add("--jsonl", metavar="FILE", help="the same rows as JSON lines (- for stdout)")
    add("--start", type=float, metavar="S", help="begin at this time of the film, in seconds")
    add("--end", type=float, metavar="S", help="stop before this time, in seconds")
    add("--every", type=float, metavar="S", help="one frame per so many seconds of the film")
    add("--faces", choices=FACES, help="whole: each picture is a face crop (default: detect)")
    add("--detector", metavar="NAME", help="builtin (default), yunet or mediapipe")
    add("--min-confidence", type=float, metavar="P", help="below it there is no face, 0..1")
    add("--context", metavar="NAME", help="also each person in context: a model, or its card.json")
    add("--scene", metavar="NAME", help="what the picture evokes: a model, its card.json, or none")
    add("--scene-interval", type=float, metavar="S", help="film seconds between two looks at it")
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
    add("--quiet", action="store_true", help="no progress bar")
    add("--version", action="version", version=f"emotrack {version}")
    return parser
