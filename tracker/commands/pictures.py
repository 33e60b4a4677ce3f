"""Pictures that `emotrack INPUT...` leaves when asked to: an explained one, a contact sheet."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tracker.models import ModelError, ModelUse
from tracker.run import Sink

PAGES = (".html", ".htm")
NEEDS = {"explain": "maps", "report": "affect"}  # what of the scene network


def add_arguments(add: Any) -> None:
    """add: `add_argument` of the parser."""
    add("--explain", metavar="FILE", help="draw where the strongest scene reading comes from")
    add("--explain-at", type=float, metavar="S", help="draw that of this time of the film instead")
    add("--report", metavar="FILE.html", help="contact sheet: pictures in the plane they evoke")


def check(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    if given.explain_at is not None and given.explain is None:
        parser.error("--explain-at needs --explain FILE")
    if given.explain_at is not None and not math.isfinite(given.explain_at):
        parser.error(f"--explain-at {given.explain_at:g} is no time in seconds")
    if given.explain_at is not None and len(given.inputs) > 1:
        parser.error("--explain-at is a time of one film; several inputs are given")
    for name in NEEDS:
        if getattr(given, name) is not None and given.faces == "whole":
            parser.error(f"--{name} shows the scene; with --faces whole there is none")
    if given.explain is not None and not _writable(given.explain):
        parser.error(f"--explain {given.explain}: name a .png, .jpg or .webp file")
    if given.report is not None and Path(given.report).suffix.lower() not in PAGES:
        parser.error(f"--report {given.report}: name a .html file")


def picture_sinks(given: argparse.Namespace, models: Sequence[ModelUse]) -> list[Sink]:
    """Raises ModelError if the run's scene network does not say what they show."""
    from tracker.sinks.explain import Explain
    from tracker.sinks.report import Report

    found: list[Sink] = []
    scene = next((model for model in models if model.role == "scene"), None)
    for name, needed in NEEDS.items():
        if getattr(given, name) is not None and (scene is None or needed in scene.lacks):
            why = "no scene is read" if scene is None else f"{scene.name} does not say {needed!r}"
            raise ModelError(f"--{name} {getattr(given, name)}: {why}")
    if given.explain is not None:
        found.append(Explain(Path(given.explain), given.explain_at))
    if given.report is not None:
        found.append(Report(given.report))
    return found


def enough(sinks: Sequence[Sink]) -> bool:
    """Nothing that follows can change what was asked for."""
    from tracker.sinks.explain import Explain

    return bool(sinks) and all(isinstance(sink, Explain) and sink.done for sink in sinks)


def _writable(name: str) -> bool:
    import cv2

    return bool(cv2.haveImageWriter(name))
