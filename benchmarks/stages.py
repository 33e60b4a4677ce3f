"""Where the time of a run goes: functions of the program, each given a clock of its own.

`Stages` replaces them for the length of a `with` block. Times are those of the processor in the
thread that calls, without the stages inside, so a busy machine changes them little.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from typing import Any

import engines

STAGES = {  # stage -> module, and the function or method that is it
    "cuts": ("tracker.cuts", "CutFinder.__call__"),
    "detect": ("tracker.detectors.builtin", "BuiltinDetector.__call__"),
    "tracks": ("tracker.faces", "FaceFinder.__call__"),
    "align": ("tracker.crops", "Cropper.aligned"),
    "people": ("tracker.people", "PeopleReader.__call__"),
    "memory": ("tracker.smoothing", "LstmSmoother.steady"),
    "scene's picture": ("tracker.scene", "SceneReader._read"),
    "scene": ("tracker.scene", "SceneReader.__call__"),
    "write": ("tracker.sinks.tables", "Table.write"),
}


class Stages:
    """`seconds` per stage; the networks' own stages are called after their files: "face net"."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._local = threading.local()
        self._undo: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> Stages:
        for stage, (module, path) in STAGES.items():
            owner: Any = import_module(module)
            *outer, name = path.split(".")
            for part in outer:
                owner = getattr(owner, part)
            self._replace(owner, name, self._clocked(stage, getattr(owner, name)))
        load = engines.load

        def clocked_load(model: Any, *words: Any, **named: Any) -> Any:
            engine: Any = load(model, *words, **named)
            engine.infer = self._clocked(f"{model.stem.split('-')[0]} net", engine.infer)
            return engine

        self._replace(engines, "load", clocked_load)
        return self

    def __exit__(self, *_: object) -> None:
        for owner, name, was in self._undo:
            setattr(owner, name, was)

    def _replace(self, owner: Any, name: str, by: Any) -> None:
        self._undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, by)

    def _clocked(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def clocked(*words: Any, **named: Any) -> Any:
            inside = getattr(self._local, "inside", 0.0)
            self._local.inside = 0.0
            begin = time.thread_time()
            try:
                return function(*words, **named)
            finally:
                took = time.thread_time() - begin
                self.seconds[stage] += took - self._local.inside
                self._local.inside = inside + took

        return clocked
