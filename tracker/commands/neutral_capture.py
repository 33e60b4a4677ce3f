"""The faces at rest, measured while somebody watches, and taken off from then on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from calibration.baseline import (
    BaselineError,
    Rest,
    measure,
    networks_of,
    origin_of,
    save_person,
)
from tracker.options import Options
from tracker.pipeline import Tracker
from tracker.profile import Calibrator, ProfileError, Rater
from tracker.profile_file import load_profile
from tracker.remote import Remote
from tracker.sinks.base import SinkError
from tracker.sources import Source
from tracker.values import Affect, FrameResult

SECONDS = 10.0  # s of stream time; `calibrate neutral` advises as much
LAST = 0.1  # s before its announced end a film may be over


class NeutralCapture:
    """Hears every result in the run's thread; measures when the viewer has asked for it.

    place: where a profile with the neutrals goes; None: nowhere, they serve this run alone.
    """

    def __init__(
        self,
        tracker: Tracker,
        remote: Remote,
        options: Options,
        place: Callable[[], Path | None],
    ) -> None:
        self._tracker = tracker
        self._remote = remote
        self._forget_after = options.forget_after
        self._rater = _rater(options)
        self._place = place
        self._source: Source
        self._results: list[FrameResult] | None = None  # None: nobody measures
        self._neutrals: dict[int, Affect] = {}
        self._other: Affect | None = None

    def begin(self, source: Source) -> None:
        """Another source follows; called before the first `add`."""
        self._source, self._results = source, None

    def add(self, result: FrameResult) -> None:
        if self._remote.neutral_wanted:
            self._remote.neutral_wanted = False
            self._results = []
        if self._results is None:
            return
        if self._results and not _goes_on(self._results[-1], result):
            self._end("Neutral: the film was moved; nothing is measured")
            return
        self._results.append(result)
        left = SECONDS - (result.pts - self._results[0].pts)
        if self._remote.extent is not None:
            left = min(left, self._remote.extent[1] - LAST - result.pts)
        self._remote.neutral_left = max(0.0, left)
        if left <= 0:
            self._end(self._applied(self._results))

    def _end(self, line: str) -> None:
        self._results = None
        self._remote.neutral_left = None
        self._remote.told.append(line)

    def _applied(self, results: Sequence[FrameResult]) -> str:
        """What to tell the viewer of it."""
        rests = _measured(results)
        if not rests:
            return "Neutral: no face was there long and clearly enough; nothing has changed"
        self._neutrals |= {track: rest.neutral for track, rest in rests.items()}
        if len(rests) == 1:  # one person before the camera: whoever comes back is that person
            (self._other,) = (rest.neutral for rest in rests.values())
        self._tracker.recalibrate(
            Calibrator(
                self._neutrals, self._rater, other=self._other, forget_after=self._forget_after
            )
        )
        line = "; ".join(_said(track, rest) for track, rest in rests.items())
        self._source.report.note(
            f"{results[0].source}: calibrated from {results[-1].pts:.3f} s on by the neutral "
            f"of the seconds before: {line}"
        )
        return f"Neutral taken: {line}{self._saved(rests)}"

    def _saved(self, rests: dict[int, Rest]) -> str:
        place = self._place()
        if place is None:
            return ""
        try:
            self._save(place, rests)
        except (ProfileError, SinkError) as wrong:
            return f". Not saved: {wrong}"
        return f". Saved in {place.name}"

    def _save(self, place: Path, rests: dict[int, Rest]) -> None:
        networks = networks_of(self._tracker.models)
        made_from = [origin_of(about) for about in self._source.report.about]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for track, rest in rests.items():
            name = "me" if len(rests) == 1 else f"face{track}"
            save_person(place, name, rest, networks=networks, made_from=made_from, now=now)


def _goes_on(before: FrameResult, now: FrameResult) -> bool:
    """The viewer has not moved, and no other film has begun."""
    return now.source == before.source and 0 <= now.pts - before.pts < SECONDS / 2


def _measured(results: Sequence[FrameResult]) -> dict[int, Rest]:
    """Everyone who was there for long enough, by track."""
    rests = {}
    for track in sorted({p.face.track for result in results for p in result.people}):
        alone = [
            replace(r, people=tuple(p for p in r.people if p.face.track == track)) for r in results
        ]
        try:
            rests[track] = measure(alone)
        except BaselineError:
            continue
    return rests


def _rater(options: Options) -> Rater:
    """The run's rater; one that changes nothing if there is none."""
    if options.profile is None or options.rater is None:
        return Rater()
    return load_profile(Path(options.profile)).raters[options.rater]


def _said(track: int, rest: Rest) -> str:
    return (
        f"face {track} valence {rest.neutral.valence:+z.2f}, arousal {rest.neutral.arousal:+z.2f} "
        f"({rest.seconds:.1f} s)"
    )
