"""The file of a calibration profile: JSON, checked field by field."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Any

from tracker.profile import Line, Networks, Origin, Person, Profile, ProfileError, Range, Rater
from tracker.values import Affect

FORMAT = 1


def load_profile(path: Path) -> Profile:
    """Raises ProfileError naming the file, and the field that is missing or out of range."""
    try:
        content = path.read_bytes()
    except OSError as wrong:
        raise ProfileError(f"{path.name}: cannot read ({wrong.strerror})") from wrong
    try:
        file = _Fields(json.loads(content), "")
        if file.number("format") != FORMAT:
            raise ValueError(f"format is {file.number('format'):g}, expected {FORMAT}")
        if not file.given("model"):
            raise ValueError(
                "model is null: its raters were fitted to readings without the .meta.json that "
                "names the networks, so nobody knows whose scale it is"
            )
        return Profile(
            path.name,
            hashlib.sha256(content).hexdigest(),
            Networks(file.text("model"), file.text("memory")),
            file.text("created"),
            {name: _person(fields) for name, fields in file.tables("people").items()},
            {name: _rater(fields) for name, fields in file.tables("raters").items()},
        )
    except ValueError as wrong:  # broken JSON and broken UTF-8 are ValueErrors too
        raise ProfileError(f"{path.name}: not a calibration profile ({wrong})") from wrong


def new_file(networks: Networks | None, created: str) -> dict[str, Any]:
    """The content of a profile that holds nobody yet.

    networks: None if not known; no run takes it.
    """
    face, memory = (None, None) if networks is None else (networks.face, networks.memory)
    made = {"format": FORMAT, "model": face, "memory": memory, "created": created}
    return {**made, "people": {}, "raters": {}}


def with_person(content: Mapping[str, Any], name: str, person: Person) -> dict[str, Any]:
    """The content of a profile with one person added or replaced; all else stays as it was."""
    as_json = {
        "neutral": {"valence": person.neutral.valence, "arousal": person.neutral.arousal},
        "range": {"valence": person.range.valence, "arousal": person.range.arousal},
        "seconds": person.seconds,
        "frames": person.frames,
        "created": person.created,
        "from": [{"name": origin.name, "sha256": origin.sha256} for origin in person.made_from],
    }
    return {**content, "people": {**content["people"], name: as_json}}


def _person(fields: _Fields) -> Person:
    neutral, spread = fields.table("neutral"), fields.table("range")
    return Person(
        Affect(neutral.number("valence", -1, 1), neutral.number("arousal", -1, 1)),
        Range(spread.number("valence", 0, 2), spread.number("arousal", 0, 2)),
        fields.number("seconds", 0),
        int(fields.number("frames", 1)),
        fields.text("created"),
        tuple(_origin(one) for one in fields.list("from")),
    )


def _origin(fields: _Fields) -> Origin:
    known = fields.given("sha256")
    return Origin(fields.text("name"), fields.text("sha256") if known else None)


def _rater(fields: _Fields) -> Rater:
    valence, arousal = fields.table("valence"), fields.table("arousal")
    return Rater(
        Line(valence.number("gain"), valence.number("offset")),
        Line(arousal.number("gain"), arousal.number("offset")),
        fields.number("delay", 0),
    )


@dataclass(frozen=True, slots=True)
class _Fields:
    """A JSON object, and where it stands in the file. Raises ValueError naming field and value."""

    value: Any
    where: str  # "people.ana."

    def number(self, field: str, least: float = -inf, most: float = inf) -> float:
        value = self._take(field)
        if type(value) not in (int, float) or not isfinite(value) or not least <= value <= most:
            raise ValueError(
                f"{self.where}{field} is {value!r}, expected a number in {least:g}..{most:g}"
            )
        return float(value)

    def text(self, field: str) -> str:
        value = self._take(field)
        if not isinstance(value, str) or not value:
            raise ValueError(f"{self.where}{field} is {value!r}, expected text")
        return value

    def given(self, field: str) -> bool:
        """Whether it is not null; it must be there."""
        return self._take(field) is not None

    def table(self, field: str) -> _Fields:
        return _Fields(self._take(field), f"{self.where}{field}.")

    def tables(self, field: str) -> dict[str, _Fields]:
        """The objects of an object, by name."""
        names = self.table(field)
        return {name: names.table(name) for name in names._object()}

    def list(self, field: str) -> list[_Fields]:
        value = self._take(field)
        if not isinstance(value, list):
            raise ValueError(f"{self.where}{field} is {value!r}, expected a list")
        return [_Fields(one, f"{self.where}{field}[{i}].") for i, one in enumerate(value)]

    def _take(self, field: str) -> Any:
        whole = self._object()
        if field not in whole:
            raise ValueError(f"{self.where}{field} is missing")
        return whole[field]

    def _object(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            where = self.where.rstrip(".") or "the file"
            raise ValueError(f"{where} is {self.value!r}, expected an object")
        return self.value
