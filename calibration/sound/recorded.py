"""Real voices and music, from packages of Debian 12 that anybody may fetch and use.

`packages.csv` names them, `docs/recipes.md` says how to fetch them. They are read as they come, by
dpkg-deb, if their hashes are those of the table; nothing is installed. The table says where in a
package somebody speaks, and where nobody does: patterns of paths, whose groups tell one speaker
from the next.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import shutil
import subprocess
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from calibration.samples import RecipeError
from calibration.sound.made import SECONDS, Samples, scaled
from calibration.sound.material import (
    BELOW,
    SEED,
    Clip,
    bridged,
    frames_of,
    heard,
    kept,
    levels,
    trimmed,
)
from tracker.sound import RATE

TABLE = Path(__file__).with_name("packages.csv")
READER = "dpkg-deb"
ROOT = "./usr/share/"  # what the patterns are below
EACH = 60  # utterances of a speaker, at the most
SHORTEST = 0.5  # s, of an utterance
CLEAN = 24.0  # dB of the loud frames of an utterance (95th percentile) over the soft ones (3rd)
FLOOR, CREST = 10.0, 15.0  # dB over the soft ones, and under the loud ones, where speech begins
LOUD = -12.0  # dBFS to which the loud frames are brought: about as loud as the made voices
STRETCHES = 4  # of one piece of music
REST = 1.5  # s; a short sound is repeated after less than that


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    version: str
    licence: str  # of its sounds, by its own copyright file
    voices: str  # pattern; empty: it has none
    music: str
    sha256: str

    @property
    def file(self) -> str:
        """As `apt-get download` names it."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_all.deb"


def packages() -> list[Package]:
    with TABLE.open(newline="", encoding="utf-8") as file:
        return [Package(**row) for row in csv.DictReader(file)]


def check(folder: Path) -> None:
    """Raises RecipeError naming a package that is not in the folder, or is another one, or the
    program that reads them, if it is not here."""
    if shutil.which(READER) is None:
        raise RecipeError(f"{READER} is missing: it reads Debian's packages, and comes with Debian")
    for package in packages():
        path = folder / package.file
        if not path.is_file():
            wanted = f"{package.name}={package.version}"
            raise RecipeError(f"{path}: not there; in its folder: apt-get download {wanted}")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != package.sha256:
                raise RecipeError(f"{path}: its sha256 is not that of {TABLE.name}")


def recorded_speech(sounds: Path, folder: Path) -> list[Clip]:
    """Utterances of some fifty speakers, each told by `act`."""

    def make() -> Iterator[Clip]:
        rng = np.random.default_rng(SEED + 2)
        speaker = 0
        for package, found in _found(sounds, "voices"):
            speakers: dict[tuple[str, ...], list[str]] = defaultdict(list)
            for path in found:
                match = re.fullmatch(package.voices, path)
                assert match is not None  # it is among those found by the same pattern
                speakers[match.groups()].append(path)
            for paths in speakers.values():
                speaker += 1
                all_of_them = (_utterance(p, found[p]) for p in rng.permutation(paths))
                for clip in islice(filter(None, all_of_them), EACH):
                    yield replace(clip, act=(speaker, "", ""))

    return [trimmed(clip) for clip in kept(folder / "recorded.npz", make)]


def recorded_music(sounds: Path, folder: Path) -> list[Clip]:
    """Stretches of music; and short sounds, over and over."""

    def make() -> Iterator[Clip]:
        rng = np.random.default_rng(SEED + 3)
        for _, found in _found(sounds, "music"):
            for path, content in found.items():
                for stretch in _stretches(_samples(path, content), rng):
                    mel = frames_of(stretch).astype(np.float16)
                    yield Clip(mel, np.zeros(len(mel), np.bool_))

    return kept(folder / "music.npz", make)


def spoken(samples: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """(frames,): where somebody speaks in a recording, noisy or not; None if that is not clear."""
    level = levels(samples)
    soft, loud = np.percentile(level, (3, 95))
    if loud - soft < CLEAN:
        return None
    # Who never pauses leaves no noise to hear: then the soft frames are speech as well.
    return bridged(level > max(loud - BELOW, min(soft + FLOOR, loud - CREST)))


def _found(sounds: Path, kind: str) -> Iterator[tuple[Package, dict[str, bytes]]]:
    """Of each package the files whose paths match its pattern of this kind, in order."""
    for package in tqdm([p for p in packages() if getattr(p, kind)], desc=f"recorded {kind}"):
        pattern = re.compile(getattr(package, kind))
        command = [READER, "--fsys-tarfile", str(sounds / package.file)]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE) as running,
            tarfile.open(fileobj=running.stdout, mode="r|") as tar,
        ):
            files = {
                path: content.read()
                for member in tar
                if pattern.fullmatch(path := member.name.removeprefix(ROOT))
                and (content := tar.extractfile(member)) is not None
            }
        yield package, dict(sorted(files.items()))


def _samples(path: str, content: bytes) -> Samples:
    return heard(io.BytesIO(content), "g722" if path.endswith(".g722") else None)


def _utterance(path: str, content: bytes) -> Clip | None:
    """None if it is too short, or it is not clear where in it somebody speaks."""
    samples = _samples(path, content)
    voiced = spoken(samples) if len(samples) >= SHORTEST * RATE else None
    if voiced is None:
        return None
    gain = np.float32(10 ** ((LOUD - np.percentile(levels(samples), 95)) / 20))
    return Clip(frames_of(samples * gain).astype(np.float16), voiced)


def _stretches(samples: Samples, rng: np.random.Generator) -> Iterator[Samples]:
    """SECONDS each, scaled as the made ones are."""
    count = round(SECONDS * RATE)
    if len(samples) >= count:
        for begin in rng.integers(0, len(samples) - count + 1, STRETCHES):
            yield scaled(samples[begin : begin + count])
    elif len(samples):
        repeated = np.zeros(count, np.float32)
        begin = 0
        while begin < count:
            part = samples[: count - begin]
            repeated[begin : begin + len(part)] = part
            begin += len(part) + int(rng.uniform(0, REST) * RATE)
        yield scaled(repeated)
