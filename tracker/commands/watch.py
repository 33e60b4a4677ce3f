"""`emotrack INPUT...` or `--webcam`: read what comes, write tables, or print a summary."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tracker.commands.engine import hear, open_tracker
from tracker.commands.inputs import Input, inputs, several
from tracker.commands.interrupt import Interrupt
from tracker.commands.pictures import enough, picture_sinks
from tracker.commands.streams import stream_sinks
from tracker.commands.summary import Summary
from tracker.commands.tables import FORMATS, Tables
from tracker.commands.view import View, wants_window
from tracker.commands.words import parsed, told_on
from tracker.handoff import Waiting
from tracker.latency import Latencies, in_words
from tracker.nameless import nameless
from tracker.options import Options
from tracker.pipeline import Tracker
from tracker.profile import People
from tracker.run import Sink, follow, record
from tracker.sinks.base import SinkError, hush
from tracker.sinks.rows import columns
from tracker.sinks.unfilled import unfilled
from tracker.sources import Source, SourceError, Span
from tracker.sources.base import Unread
from tracker.values import Step

OPTIONS = (
    *("detector", "detector_size", "min_confidence", "face", "faces", "context", "profile"),
    *("rater", "baseline", "scene", "scene_interval", "sound"),
)
DONE, FAILED, PARTLY = 0, 2, 3


def main(words: list[str]) -> int:
    parser, given = parsed(words)
    outputs = {kind: getattr(given, kind) for kind in FORMATS if getattr(given, kind) is not None}
    start = given.start
    if given.explain_at is not None and not outputs and given.report is None:
        start = max(given.explain_at, start or 0.0)  # nothing before it is wanted
    span = Span(start, given.end, given.every)
    chosen = {name: getattr(given, name) for name in OPTIONS if getattr(given, name) is not None}
    if given.scene == "none":
        chosen["scene"] = None
    watched = wants_window(given)
    maps = watched or given.explain is not None
    try:
        options = Options(**chosen, person=tuple(given.person), maps=maps)
    except ValueError as wrong:
        parser.error(str(wrong))
    hear(verbose=given.verbose)
    tracker, options = open_tracker(options, given.engine, given.device)
    with tracker:
        about = _about(words, options, span, tracker)
        calibrated = watched or options.profile is not None or options.baseline is not None
        ids, detected = not given.no_faces_out, options.faces == "detect"
        empty = unfilled(tracker.models, calibrated=calibrated, detected=detected, ids=ids)
        header = columns(
            source=several(given.inputs),
            mesh=tracker.mesh,
            context=tracker.context,
            scene=tracker.reads_scene,
            audio=tracker.hears,
            ids=ids,
            notes=watched,
        )
        pictures, streams = picture_sinks(given, tracker.models), stream_sinks(given, header)
        view = None
        if watched:
            view = View(outputs, tracker, options, recording=bool(outputs or pictures))
        tables, quiet = Tables(header, about, empty), given.quiet or watched
        run = _Run(tracker, inputs(given), span, tables, view, quiet=quiet, ids=ids)
        return run.go(outputs, pictures, streams)


def _about(words: list[str], options: Options, span: Span, tracker: Tracker) -> dict[str, Any]:
    """What is known of a run from its start, for the sidecar."""
    files = {name: getattr(options, name) for name in ("profile", "context", "scene")}
    return {
        "emotrack": importlib.metadata.version("emotrack"),
        "command": ["emotrack", *told_on(words)],
        "options": asdict(options) | {name: at and Path(at).name for name, at in files.items()},
        "span": asdict(span),
        "models": [asdict(model) for model in tracker.models],
        "profile": tracker.profile and asdict(tracker.profile),
    }


class _Run:
    """One command: the inputs in turn, into all outputs."""

    def __init__(
        self,
        tracker: Tracker,
        inputs: Sequence[Input],
        span: Span,
        tables: Tables,
        view: View | None,
        *,
        quiet: bool,
        ids: bool,
    ) -> None:
        self._tracker = tracker
        self._inputs = inputs
        self._span = span
        self._view = view
        self._tables, self._sources = tables, tables.sources
        self._quiet = quiet
        self._ids = ids
        self._interrupt = Interrupt(self._stop)
        used = tracker.profile
        self._unmet = {} if used is None else dict(People.parse(used.people).by_track)
        self._failed = 0

    def go(
        self, outputs: Mapping[str, str], pictures: Sequence[Sink], streams: Sequence[Sink]
    ) -> int:
        """Returns the exit code. outputs: format -> file. pictures: what draws. streams: other
        programs."""

        def opened(outputs: Mapping[str, str]) -> list[Sink]:
            return [*pictures, *self._tables.opened(outputs)]

        try:
            if self._view is None:
                self._read(opened(outputs), streams)
            else:
                steps = record(self._steps(), self._view.sinks(opened), streams)
                with self._interrupt:
                    self._view.show(steps, self._interrupt.check)
        except SinkError as wrong:
            kept = self._tables.kept()
            if not kept:
                raise
            _say(f"{wrong}; {kept}")
            return PARTLY
        except BrokenPipeError:
            kept = self._tables.kept(but="-")
            if not kept:
                raise
            _say(f"whoever read standard output has left; {kept}")
            return PARTLY
        if not any(source.report.frames for source in self._sources):
            return DONE if self._view is not None and not self._failed else FAILED
        reports = [source.report for source in self._sources]
        damaged = self._failed or any(r.errors or r.sound_errors for r in reports)
        return PARTLY if damaged else DONE

    def _read(self, sinks: Sequence[Sink], streams: Sequence[Sink]) -> None:
        """Until the inputs end; what nobody writes down is summed up in print."""
        summary = Summary(ids=self._ids)
        try:
            with closing(record(self._steps(), sinks, streams)) as steps, self._interrupt:
                for step in steps:
                    if not sinks:
                        summary.add(step.result)
                    self._interrupt.check()
                    if enough(sinks):
                        break
        except KeyboardInterrupt:
            if not sinks and any(source.live for source in self._sources):
                print(summary.text())  # there is no other way for a camera to end
            raise
        if not sinks and any(source.report.frames for source in self._sources):
            print(summary.text())

    def _steps(self) -> Generator[Step, None, None]:
        for i, (name, opened) in enumerate(self._inputs, 1):
            source: Source = Unread()
            try:
                source = opened(self._span)
                self._sources.append(source)
                last = i == len(self._inputs)
                yield from self._shown(name, source, opened, last=last)
            except SourceError as wrong:
                self._failed += 1
                _say(str(wrong))
                if isinstance(source, Unread):
                    self._sources.append(source)
                source.report.errors = max(1, source.report.errors)
                source.report.note(str(wrong))
            self._interrupt.check()
            if self._view is not None and self._view.closed:
                return

    def _shown(
        self, name: str, source: Source, opened: Callable[[Span], Source], *, last: bool
    ) -> Generator[Step, None, None]:
        """The steps of one source, with a progress bar and what it had to say afterwards."""
        latencies = Latencies()
        hidden = self._quiet or not sys.stderr.isatty()
        with tqdm(total=source.expected, unit=" frames", desc=name, disable=hidden) as bar:
            try:
                for step in self._followed(source, opened, last=last):
                    latencies.add(step.result.latency)
                    for person in step.result.people:
                        self._unmet.pop(person.face.track, None)
                    yield step if self._ids else replace(step, result=nameless(step.result))
                    bar.update()
            finally:
                bar.close()
                for track, who in self._unmet.items() if last else ():
                    source.report.note(f"no face had the number {track}: {who} was not in view")
                for note in source.report.notes:
                    _say(note)
                if source.live and latencies.n:
                    _say(in_words(latencies, source.report.dropped))

    def _followed(
        self, source: Source, opened: Callable[[Span], Source], *, last: bool
    ) -> Iterator[Step]:
        if self._view is None:
            return follow(source, self._tracker)
        return self._view.play(source, opened, self._span, last=last)

    def _stop(self) -> None:
        """A source that waits for a camera gives no frame at which Ctrl-C could be noticed."""
        for source in self._sources:
            if isinstance(source, Waiting):
                source.give_up()


def _say(line: str) -> None:
    try:
        print(f"emotrack: {line}", file=sys.stderr)
    except BrokenPipeError:  # nobody listens any more; the rows go on
        hush(sys.stderr)
