"""Pages that carry everything they show: text, and figures as SVG."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from tracker.sinks.base import SinkError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE = (
    "body{font:14px sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}pre{overflow-x:auto}"
)


def page(title: str, parts: Sequence[str], style: str = "") -> str:
    """One HTML file. parts: HTML, in order, below the title."""
    head = f"<meta charset=utf-8><title>{escape(title)}</title><style>{STYLE}{style}</style>"
    body = f"<h1>{escape(title)}</h1>{''.join(parts)}"
    return f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>\n"


def new_figure(width: float, height: float) -> Figure:
    """An empty figure; inches. Raises SinkError saying what to install."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as wrong:
        if (wrong.name or "").split(".")[0] != "matplotlib":
            raise
        raise SinkError("a page needs matplotlib: pip install 'emotrack[report]'") from wrong
    return Figure(figsize=(width, height), layout="constrained")


def svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg")
    text = out.getvalue()
    return text[text.index("<svg") :]


def or_na(value: float, decimals: int = 4) -> str:
    return "n/a" if math.isnan(value) else f"{round(value, decimals) + 0.0:.{decimals}f}"


def or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
