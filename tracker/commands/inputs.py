"""The inputs of `emotrack INPUT...`: what each is called, and how a part of it is opened."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from functools import partial

from tracker.sources import Source, Span, Wish, open_camera, open_live, open_source
from tracker.sources.base import without_secrets

Input = tuple[str, Callable[[Span], Source]]


def inputs(given: argparse.Namespace) -> list[Input]:
    if given.webcam is not None:
        wish = Wish(given.size, given.rate)
        camera = partial(open_camera, given.webcam, wish, given.microphone or "")
        return [(without_secrets(given.webcam), lambda _: camera())]
    if given.live:
        return [(name, partial(open_live, name)) for name in given.inputs]
    alone = len(given.inputs) == 1
    return [(name, partial(open_source, name, alone=alone)) for name in given.inputs]


def several(names: Sequence[str]) -> bool:
    """Whether rows are to say which input they are of."""
    return len(names) > 1 or (bool(names) and os.path.isdir(names[0]))
