"""Where a model is found, how its card is read, and the proof that the file is the right one."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engines import Engine

FORMAT = 1  # of the card
SHIPPED = Path(__file__).parent / "weights"
MANDATORY = {  # field of a card -> what it holds
    **dict.fromkeys(("name", "role", "sha256", "version"), str),
    "input": dict,
    "outputs": list,
    "data": list,
    "licence": str,
    "scores": list,
}


class ModelError(RuntimeError):
    """A model that is absent, damaged, or not what its card says."""


@dataclass(frozen=True, slots=True)
class Model:
    """A network that passed its check: the file, and what its card says of it."""

    path: Path  # the .onnx
    name: str
    role: str  # detector, face, memory, scene or context
    sha256: str
    licence: str
    card: dict[str, Any]

    @property
    def origin(self) -> str:
        """sha256 of the network that this one is in another precision; else its own."""
        made_from = self.card.get("made_from", {})
        return str(made_from.get("sha256", self.sha256))


@dataclass(frozen=True, slots=True)
class ModelUse:
    """One network of a run, as the sidecar names it."""

    role: str
    name: str
    sha256: str
    origin: str  # sha256 of the network that this one is in another precision; else its own
    licence: str
    ran_on: str  # the library and device that really ran it
    scores: tuple[dict[str, Any], ...]  # as its card states them
    lacks: tuple[str, ...] = ()  # outputs it does not have: the columns that need them are empty

    @classmethod
    def of(cls, model: Model, ran_on: str, lacks: tuple[str, ...] = ()) -> ModelUse:
        scores = tuple(model.card["scores"])
        return cls(
            model.role, model.name, model.sha256, model.origin, model.licence, ran_on, scores, lacks
        )


@dataclass(frozen=True, slots=True)
class Fetched:
    """A third-party file that `emotrack models pull` brings: a line of registry.json."""

    name: str
    role: str
    file: str
    url: str
    sha256: str
    bytes: int
    licence: str


def open_shipped(name: str) -> Model:
    """The named network of ours: from a folder of EMOTRACK_MODELS first, else from the wheel.

    Raises ModelError if there is none, or if file and card do not belong together.
    """
    for folder in (*_extra_folders(), SHIPPED):
        for card in sorted(folder.rglob("*.json")):
            if card.stem == name:
                return open_card(card)
    known = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.json")))
    own = ", ".join(path.stem for path in own_cards())
    also = f"; in EMOTRACK_MODELS: {own}" if own else ""
    raise ModelError(f"no model is named {name!r}; shipped: {known}{also}")


def own_cards() -> list[Path]:
    """The cards in the folders of EMOTRACK_MODELS that have a network beside them."""
    found = (card for folder in _extra_folders() for card in sorted(folder.rglob("*.json")))
    return [card for card in found if card.with_suffix(".onnx").is_file()]


def open_named(name: str) -> Model:
    """The network of a card, given by its path (.json), or as `open_shipped` finds a name."""
    return open_card(Path(name)) if name.endswith(".json") else open_shipped(name)


def label_order(
    model: Model, output: str, labels: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, int] | None:
    """Label -> column of an output whose order is the card's, in the order of `labels` and
    `optional`; None if the model has no such output.

    Raises ModelError if the card names other labels.
    """
    for spec in model.card["outputs"]:
        if spec["name"] == output:
            given = list(spec.get("labels", ()))
            break
    else:
        return None
    strange, missing = set(given) - {*labels, *optional}, set(labels) - set(given)
    if strange or missing or len(set(given)) < len(given):
        wrong = ", ".join(sorted(strange | missing)) or "one of them twice"
        raise ModelError(f"{model.path.name}: output {output!r} has other labels: {wrong}")
    return {label: given.index(label) for label in (*labels, *optional) if label in given}


def check_shapes(model: Model, engine: Engine) -> None:
    """Raises ModelError if the file has other inputs or outputs than its card describes."""
    given = model.card["input"]
    inputs = {given["name"]: given} if "name" in given else given
    outputs = {about["name"]: about for about in model.card["outputs"]}
    for kind, described, specs in (
        ("input", inputs, engine.inputs),
        ("output", outputs, engine.outputs),
    ):
        shapes = {spec.name: spec.shape for spec in specs}
        for name, about in described.items():
            if name not in shapes:
                raise ModelError(
                    f"{model.path.name}: the card has {kind} {name!r}, its graph has not"
                )
            shape = shapes[name]
            sides, wanted = sorted(shape[-2:]), sorted(_sides(about))
            if wanted and -1 not in sides and sides != wanted:
                raise ModelError(
                    f"{model.path.name}: {kind} {name!r} is {shape}, its card says {wanted} px"
                )
            width = about.get("width", len(about.get("labels", ())))
            if width and shape[0] not in (-1, width):
                raise ModelError(
                    f"{model.path.name}: {kind} {name!r} has {shape[0]} values, its card {width}"
                )


def _sides(about: dict[str, Any]) -> list[int]:
    size = about.get("size", ())
    return list(map(int, size)) if isinstance(size, list) else []


def open_card(path: Path) -> Model:
    """Reads a card and checks that the .onnx beside it is the one it describes."""
    card = load_card(path)
    onnx = path.with_suffix(".onnx")
    if not onnx.is_file():
        raise ModelError(f"{onnx.name}: the network of this card is missing")
    found = hash_file(onnx)
    if found != card["sha256"]:
        raise ModelError(f"{onnx.name}: sha256 is {found}, its card says {card['sha256']}")
    return Model(onnx, card["name"], card["role"], found, card["licence"], card)


def load_card(path: Path) -> dict[str, Any]:
    """Raises ModelError naming the file and what is wrong with it."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise ModelError(f"{path.name}: cannot read ({wrong.strerror})") from wrong
    except ValueError as wrong:
        raise ModelError(f"{path.name}: not a model card ({wrong})") from wrong
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        found = f"format {card.get('format')!r}" if isinstance(card, dict) else "no object"
        raise ModelError(f"{path.name}: not a model card of format {FORMAT}, but {found}")
    for field, kind in MANDATORY.items():
        if field not in card:
            raise ModelError(
                f"{path.name}: the card has no {field!r}; it has {', '.join(card)}, "
                f"and needs {', '.join(MANDATORY)}"
            )
        if not isinstance(card[field], kind):
            raise ModelError(f"{path.name}: {field!r} is {card[field]!r}, not a {kind.__name__}")
    return card


def registry() -> dict[str, Fetched]:
    """The third-party files that can be fetched, by name."""
    text = (Path(__file__).parent / "registry.json").read_text(encoding="utf-8")
    return {name: Fetched(name=name, **entry) for name, entry in json.loads(text).items()}


def find_fetched(name: str) -> Path:
    """The checked file of a registry entry.

    Raises ModelError naming the command that brings it, or both sums if the file is another one.
    """
    entry = registry()[name]
    for folder in (*_extra_folders(), cache_folder()):
        for path in sorted(folder.rglob(entry.file)):
            check_file(path, entry.sha256)
            return path
    raise ModelError(f"{name} is not here; fetch it once with: emotrack models pull {name}")


def check_file(path: Path, sha256: str) -> None:
    """Raises ModelError with both sums if the file is not the one expected."""
    found = hash_file(path)
    if found != sha256:
        raise ModelError(f"{path.name}: sha256 is {found}, expected {sha256}")


def hash_file(path: Path) -> str:
    """sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def cache_folder() -> Path:
    """Where fetched files live, per user and system. Not created here."""
    import platformdirs  # small, but only needed by those who fetched something

    return Path(platformdirs.user_cache_dir("emotrack", appauthor=False)) / "models"


def _extra_folders() -> Iterator[Path]:
    for name in os.environ.get("EMOTRACK_MODELS", "").split(os.pathsep):
        if name:
            yield Path(name)
