"""`--engine` and `--device`: what reads, chosen by name or tried in a stated order."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace

from engines import AUTO, BACKENDS, DEVICES, EngineError, candidates
from tracker.api import build
from tracker.options import Options
from tracker.pipeline import Tracker

log = logging.getLogger(__name__)
ORDER = ", ".join(f"{backend} on {device}" for backend, device in AUTO)


def add_engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine",
        default="auto",
        metavar="NAME",
        help=f"{', '.join(BACKENDS)}, or auto (default): the first that runs of {ORDER}",
    )
    parser.add_argument(
        "--device", default="auto", metavar="NAME", help=f"{' or '.join(DEVICES)} (default: auto)"
    )
    parser.add_argument("--verbose", action="store_true", help="say which engine runs, and more")


def hear(*, verbose: bool) -> None:
    """Log lines on stderr. A plan that takes minutes to build is announced in any case."""
    logging.basicConfig(format="emotrack: %(message)s", level=logging.WARNING)
    logging.getLogger("engines").setLevel(logging.INFO)
    if verbose:
        logging.getLogger("tracker").setLevel(logging.INFO)


def open_tracker(options: Options, engine: str, device: str) -> tuple[Tracker, Options]:
    """The Tracker of the first engine that runs, and the options with its name.

    Raises EngineError with the reason of each if none does; one that was asked for by name is
    never replaced by another.
    """
    reasons = []
    for backend, on in candidates(engine, device):
        tried = replace(options, backend=backend, device=on)
        try:
            tracker = build(tried)
        except EngineError as wrong:
            reasons.append((f"{backend} on {on}", str(wrong)))
            log.info("%s: %s", *reasons[-1])
            continue
        if on == "cpu" and reasons:  # only tried first where there is a driver
            log.warning(
                "reads on the CPU, though an NVIDIA driver is installed: emotrack engines says "
                "what is missing, --device cpu leaves it so"
            )
        log.info("reads with %s", ", ".join(sorted({model.ran_on for model in tracker.models})))
        return tracker, tried
    if len(reasons) == 1:
        raise EngineError(reasons[0][1])
    raise EngineError("no engine runs here: " + "; ".join(map(": ".join, reasons)))
