"""Results as table rows: one per face and frame, and one for a frame without a face.

The columns follow from the options, never from what was seen, so a table has the same header
from its first row to its last. Latency is left out: it would make two runs differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tracker.sinks.audio_columns import audio_columns
from tracker.sinks.column import Cell, Column, Person, axis, of_face
from tracker.sinks.context_columns import context_columns
from tracker.sinks.scene_columns import scene_columns
from tracker.values import BLENDSHAPES, EXPRESSIONS, FrameResult, PersonReading


def columns(
    *,
    source: bool = False,
    mesh: bool = False,
    context: bool = False,
    scene: bool = False,
    audio: bool = False,
    ids: bool = True,
    notes: bool = False,
) -> list[Column]:
    """The header of a run, in order.

    source: several inputs, or a folder of pictures: each row then names its own.
    mesh: the detector measures pose and blendshapes.
    context: a model reads each person with the picture around.
    scene: a model reads the whole picture.
    audio: sound is read.
    ids: False leaves `face_id` empty, for those who want no face followed through the table.
    notes: somebody watches, and may set markers.
    """
    named = [Column("source", "name as given", 0, _source, words=True)] if source else []
    evoked = scene_columns() if scene else []
    dense = [*_pose(), *_blendshapes()] if mesh else []
    heard = audio_columns() if audio else []
    around = context_columns() if context else []
    said = _notes() if notes else []
    faces = [*_place(ids), *_affect(), *_expressions()]
    return [*named, *faces, *evoked, *heard, *around, *dense, *said]


def rows(result: FrameResult, header: Sequence[Column]) -> Iterator[list[Cell]]:
    """One frame's rows. Floats are rounded to the column's decimals; missing is None, never 0."""
    # What is of the whole frame is read once for all its rows.
    whole = [None if c.of_face else _rounded(c.read(result, None), c.decimals) for c in header]
    for person in result.people or (None,):
        yield [
            _rounded(column.read(result, person), column.decimals) if column.of_face else cell
            for column, cell in zip(header, whole, strict=True)
        ]


def text(cells: Sequence[Cell], header: Sequence[Column]) -> list[str]:
    """One row as text: fixed decimals, missing is empty."""
    return [
        ""
        if cell is None
        else f"{cell:.{column.decimals}f}"
        if isinstance(cell, float)
        else f"{cell}"
        for cell, column in zip(cells, header, strict=True)
    ]


def _rounded(cell: Cell, decimals: int) -> Cell:
    return round(cell, decimals) + 0.0 if isinstance(cell, float) else cell  # + 0.0: no "-0.0"


def _source(result: FrameResult, _: Person) -> Cell:
    return result.source


def _place(ids: bool) -> list[Column]:
    return [
        Column("frame", "count from 1", 0, lambda r, _: r.index + 1),
        Column("timestamp", "s", 6, lambda r, _: r.pts),
        of_face("face_id", "track", 0, lambda p: p.face.track if ids else None),
        Column("success", "0 or 1", 0, lambda r, _: int(bool(r.people))),
        of_face("confidence", "0..1", 4, lambda p: p.face.score),
        of_face("face_x", "px", 1, lambda p: p.face.box.x0),
        of_face("face_y", "px", 1, lambda p: p.face.box.y0),
        of_face("face_w", "px", 1, lambda p: p.face.box.x1 - p.face.box.x0),
        of_face("face_h", "px", 1, lambda p: p.face.box.y1 - p.face.box.y0),
    ]


def _affect() -> list[Column]:
    """Smooth under the plain name, then _raw, _cal and _spread."""
    return [
        of_face("valence", "-1..1", 4, lambda p: p.affect.smooth.valence),
        of_face("arousal", "-1..1", 4, lambda p: p.affect.smooth.arousal),
        of_face("valence_raw", "-1..1", 4, lambda p: p.affect.raw.valence),
        of_face("arousal_raw", "-1..1", 4, lambda p: p.affect.raw.arousal),
        of_face("valence_cal", "-1..1", 4, lambda p: axis(p.affect.calibrated, "valence")),
        of_face("arousal_cal", "-1..1", 4, lambda p: axis(p.affect.calibrated, "arousal")),
        of_face("valence_spread", "SD", 4, lambda p: axis(p.affect.spread, "valence")),
        of_face("arousal_spread", "SD", 4, lambda p: axis(p.affect.spread, "arousal")),
    ]


def _expressions() -> list[Column]:
    def reading(i: int) -> Callable[[PersonReading], Cell]:
        return lambda p: p.expression.values[i]

    return [of_face(label, "0..1", 4, reading(i)) for i, label in enumerate(EXPRESSIONS)]


def _pose() -> list[Column]:
    def angle(name: str) -> Callable[[PersonReading], Cell]:
        return lambda p: None if p.face.mesh is None else getattr(p.face.mesh.pose, name)

    return [of_face(f"pose_{name}", "deg", 2, angle(name)) for name in ("pitch", "yaw", "roll")]


def _blendshapes() -> list[Column]:
    def shape(i: int) -> Callable[[PersonReading], Cell]:
        return lambda p: None if p.face.mesh is None else p.face.mesh.blendshapes.values[i]

    return [
        of_face(f"blendshape_{name}", "0..1", 4, shape(i)) for i, name in enumerate(BLENDSHAPES)
    ]


def _notes() -> list[Column]:
    """Written when the note was: of which moment it is, its own time says."""
    return [
        Column("note", "text", 0, lambda r, _: None if r.note is None else r.note.text, words=True),
        Column("note_timestamp", "s", 6, lambda r, _: None if r.note is None else r.note.pts),
    ]
