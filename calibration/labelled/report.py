"""Scores of faces for the eye: lines for the terminal, JSON, and one self-contained page."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from calibration.labelled.labels import Labelled
from calibration.labelled.scores import (
    AffectScores,
    Answer,
    ExpressionScores,
    FaceScores,
    farthest,
    worst,
)
from calibration.pages import new_figure, or_na, or_none, page, svg
from tracker.values import EXPRESSIONS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THUMBNAIL = 96  # px
NAMED = 5  # pictures without a face; JSON has all


def as_text(scores: FaceScores) -> str:
    """Aligned lines: every score beside what the constant answer gets."""
    pictures = "1 picture" if scores.pictures == 1 else f"{scores.pictures} pictures"
    lines = [f"{pictures}, no face found in {_unseen(scores)}"]
    if scores.expression is not None:
        lines += ["", *_expression_lines(scores.expression)]
    for axis in scores.affect:
        lines += ["", *_affect_lines(axis)]
    return "\n".join(lines)


def as_json(scores: FaceScores) -> dict[str, Any]:
    """The same as plain values; a score that is not defined is null."""
    e = scores.expression
    return {
        "pictures": scores.pictures,
        "unseen": list(scores.unseen),
        "expression": e
        and {
            "n": e.n,
            "accuracy": e.accuracy,
            "constant": {"answer": e.constant, "accuracy": e.constant_accuracy},
            "also": [
                {"what": w.what, "n": w.n, "accuracy": w.ours, "constant": w.constant}
                for w in e.also
            ],
            "f1_mean": {"ours": e.f1_mean, "constant": e.constant_f1_mean},
            "f1": {word: or_none(v) for word, v in zip(EXPRESSIONS, e.f1, strict=True)},
            "calibration_error": e.calibration_error,
            "confusion": {"labels": list(EXPRESSIONS), "rows_are_truth": e.table.tolist()},
        },
        "affect": {
            a.axis: {
                "n": a.n,
                "ours": {k: or_none(v) for k, v in a.ours.items()},
                "constant": {k: or_none(v) for k, v in a.constant.items()},
            }
            for a in scores.affect
        },
    }


def as_html(scores: FaceScores, labelled: Labelled, title: str) -> str:
    """One page with the table, the confusion matrix, the reliability diagram, the worst mistakes.

    The pictures of the mistakes are in the page: it shows faces.
    """
    parts = [f"<pre>{escape(as_text(scores))}</pre>"]
    if scores.expression is not None:
        parts.append(svg(_confusion_figure(scores.expression)))
        parts.append(svg(_reliability_figure(scores.expression)))
        mistakes = [_figure(_mistake(a), a, labelled) for a in worst(scores)]
        parts.append(f"<h2>Surest mistakes</h2><div>{''.join(mistakes)}</div>")
    if scores.affect:
        far = [_figure(_ratings(a), a, labelled) for a in farthest(scores)]
        parts.append(f"<h2>Farthest from the ratings</h2><div>{''.join(far)}</div>")
    style = (
        "figure{display:inline-block;width:9rem;margin:.3rem;font-size:12px;vertical-align:top}"
        "figcaption{overflow-wrap:anywhere}"
        "figure img{width:96px;height:96px;object-fit:contain;background:#eee}"
    )
    return page(title, parts, style)


def _expression_lines(e: ExpressionScores) -> list[str]:
    lines = [
        f"expression, n {e.n:<21}     ours  constant ({e.constant})",
        f"accuracy                          {e.accuracy:8.4f}  {e.constant_accuracy:8.4f}",
        *(f"{w.what:<34}{w.ours:8.4f}  {w.constant:8.4f}  n {w.n}" for w in e.also),
        f"F1, mean of classes that occur    {e.f1_mean:8.4f}  {e.constant_f1_mean:8.4f}",
        f"expected calibration error        {e.calibration_error:8.4f}",
        "",
        "truth \\ said " + "".join(f"{word[:9]:>10}" for word in EXPRESSIONS) + "        F1",
    ]
    for word, row, value in zip(EXPRESSIONS, e.table, e.f1, strict=True):
        lines.append(f"{word:<13}" + "".join(f"{n:>10}" for n in row) + f"{or_na(value):>10}")
    return lines


def _affect_lines(a: AffectScores) -> list[str]:
    lines = [f"{a.axis}, n {a.n:<24}     ours  constant (mean)"]
    for name, value in a.ours.items():
        lines.append(f"{name:<34}{or_na(value):>8}  {or_na(a.constant[name]):>8}")
    return lines


def _confusion_figure(e: ExpressionScores) -> Figure:
    figure = new_figure(6.4, 5.4)
    axes = figure.subplots()
    shares = e.table / np.maximum(e.table.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), n in np.ndenumerate(e.table):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(n), ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks(range(8), EXPRESSIONS, rotation=45, ha="right")
    axes.set_yticks(range(8), EXPRESSIONS)
    axes.set(xlabel="said", ylabel="truth", title="Confusion (counts; colour: share of the row)")
    return figure


def _reliability_figure(e: ExpressionScores) -> Figure:
    figure = new_figure(4.8, 4.4)
    axes = figure.subplots()
    sure, right, share = np.array(e.bins).T
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    axes.plot(sure, right, marker="o")
    axes.bar(sure, share, width=0.03, alpha=0.3)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability of the likeliest answer")
    axes.set(ylabel="share right (bars: share of pictures)", title="Reliability")
    return figure


def _mistake(answer: Answer) -> str:
    assert answer.label.expression is not None, "a mistake has a label"
    best = int(np.argmax(answer.shares))
    truth = EXPRESSIONS[answer.label.expression]
    return f"{EXPRESSIONS[best]} {answer.shares[best]:.2f}, is {truth}"


def _ratings(answer: Answer) -> str:
    """Reading and rating of each axis that was rated."""
    label = answer.label
    axes = (("V", answer.valence, label.valence), ("A", answer.arousal, label.arousal))
    rated = (
        f"{axis} {said:+z.2f}, is {truth:+z.2f}" for axis, said, truth in axes if truth is not None
    )
    return "<br>".join(rated)


def _figure(words: str, answer: Answer, labelled: Labelled) -> str:
    """words: HTML."""
    image = labelled.picture(answer.label)
    scale = THUMBNAIL / max(image.shape[:2])
    size_wh = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    small = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    source = base64.b64encode(data.tobytes()).decode()
    name = escape(answer.label.name)
    return (
        f'<figure><img src="data:image/jpeg;base64,{source}" alt="{name}">'
        f"<figcaption>{words}<br>{name}</figcaption></figure>"
    )


def _unseen(scores: FaceScores) -> str:
    names = scores.unseen
    if not names:
        return "0"
    return f"{len(names)}: {', '.join(names[:NAMED])}{', ...' if len(names) > NAMED else ''}"
