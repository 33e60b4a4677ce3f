"""Plans that TensorRT has built, kept for the next start. Read `open_plan` first.

A plan runs on one kind of GPU with one version of the library, so a file of this cache says what
it was built from, and a sum over its bytes, before the plan itself:

    one line of JSON: {"key": {...}, "sha256": "..."}
    the plan

Files are named after model, library, GPU and batch, so a folder shared by several machines holds
a plan for each, and a newer one replaces its predecessor.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from engines.base import EngineError

log = logging.getLogger(__name__)

Loaded = TypeVar("Loaded")


@dataclass(frozen=True, slots=True)
class Profile:
    """The sizes a plan is built for: it takes all from least to most, and is tuned for `usual`."""

    least: int
    usual: int
    most: int


FREE = Profile(32, 320, 1280)  # an axis that is not the batch: a side of a detector's picture, px


def batches(max_batch: int) -> Profile:
    """The batch axis."""
    return Profile(1, max(1, max_batch // 2), max_batch)


@dataclass(frozen=True, slots=True)
class Key:
    """All that a plan depends on."""

    model: str  # sha256 of the .onnx
    library: str  # e.g. "tensorrt"
    version: str  # of the library
    gpu: str  # name
    capability: str  # compute capability
    driver: int  # CUDA version of the driver
    batch: Profile
    free: Profile
    level: int  # how hard the builder tries, 0..5


def plan_file(folder: Path, stem: str, key: Key) -> Path:
    """Where the plan of `stem`.onnx belongs."""
    gpu = re.sub(r"\W+", "-", key.gpu)
    return folder / f"{stem}.{key.library}.{gpu}.b{key.batch.most}.plan"


def open_plan(
    path: Path, key: Key, build: Callable[[], bytes], load: Callable[[bytes], Loaded]
) -> Loaded:
    """The loaded plan of `path`, built first if there is none for this `key`, or none that loads.

    build: makes the plan's bytes. load: raises EngineError if it cannot take them.
    Says in one INFO line why it builds. A plan that cannot be kept is used all the same.
    """
    try:
        return load(_read(path, key))
    except EngineError as reason:
        log.info("%s: building a plan, which may take minutes (%s)", path.name, reason)
    plan = build()
    loaded = load(plan)
    _write(path, key, plan)
    return loaded


def _read(path: Path, key: Key) -> bytes:
    """Raises EngineError saying why there is no plan to be had from this file."""
    try:
        head, _, plan = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        raise EngineError("the first for this model, GPU and batch") from None
    except OSError as wrong:
        raise EngineError(f"the old one cannot be read: {wrong.strerror}") from wrong
    try:
        about = json.loads(head)
        theirs, sha256 = about["key"], about["sha256"]
        ours = asdict(key)
        differ = [name for name in ours if theirs.get(name) != ours[name]]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise EngineError("the old one is damaged") from None
    if differ:
        raise EngineError(f"the old one was for another {', '.join(differ)}")
    if hashlib.sha256(plan).hexdigest() != sha256:
        raise EngineError("the old one is damaged")
    return plan


def _write(path: Path, key: Key, plan: bytes) -> None:
    """Whole or not at all: another process may be reading."""
    head = {"key": asdict(key), "sha256": hashlib.sha256(plan).hexdigest()}
    write_whole(path, json.dumps(head).encode() + b"\n" + plan)


def write_whole(path: Path, content: bytes) -> None:
    """Puts a file of the cache in its place; a cache that cannot be written is only slow.

    Others may write the same file meanwhile, in other threads, or on other machines whose process
    numbers may be equal: each writes under a name of its own, and the last one stays.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as wrong:
        log.warning("%s: cannot be kept for the next start (%s)", path, wrong.strerror)
    finally:
        with suppress(OSError):
            partial.unlink()


def cache_folder() -> Path:
    """Where plans are kept, per user and system. Not created here."""
    import platformdirs  # small, but only needed where there is a GPU

    return Path(platformdirs.user_cache_dir("emotrack", appauthor=False)) / "plans"
