"""The picture, with a box and a label for each face, and the scene's map over it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from tracker.gui.colours import Colours, on
from tracker.gui.overlay import overlay
from tracker.gui.words import Label
from tracker.values import Box, Face, Image, SceneReading

WIDE = QSize(640, 360)  # what a picture asks for before there is one
IN_THE_BOX = 4  # the first of a label's spots that hide its face


class Picture(QWidget):
    """Shows the last frame it was given, as large as fits, with its aspect ratio kept."""

    def __init__(self, colours: Colours) -> None:
        super().__init__()
        self._colours = colours
        self._image: QImage | None = None
        self._faces: Sequence[tuple[Face, Label]] = ()
        self._map: tuple[QImage, str, Box | None] | None = None
        self._spots: dict[int, int] = {}  # track -> where its label is; see `placed`
        self.map_shown: str | None = None  # one of overlay.SHOWN
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 90)
        # Every pixel is painted each time: clearing first would only flicker.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        return WIDE

    def show_frame(
        self,
        image: Image,
        faces: Sequence[tuple[Face, Label]],
        scene: SceneReading | None = None,
    ) -> None:
        """image: (H, W, 3). scene: whose map is laid over the picture, if that is wanted."""
        self._image = _as_qt(image)
        self._faces = faces
        self._map = overlay(scene, self.map_shown)
        self.update()

    def clear(self) -> None:
        self._image, self._faces, self._map = None, (), None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().color(self.backgroundRole()).darker(115))
        if self._image is None:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "waiting for a picture")
            return
        place = self._place(self._image)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, self._image)
        scale = place.width() / self._image.width()
        if self._map is not None:
            small, _, area = self._map
            painter.drawImage(place if area is None else _scaled(area, place, scale), small)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_faces(painter, place, scale)
        if self._map is not None:
            _draw_title(painter, place, self._map[1])

    def _place(self, image: QImage) -> QRectF:
        """Where the picture is, in this widget's points."""
        scale = min(self.width() / image.width(), self.height() / image.height())
        width, height = image.width() * scale, image.height() * scale
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def _draw_faces(self, painter: QPainter, place: QRectF, scale: float) -> None:
        taken: list[QRectF] = []
        boxes = [_scaled(face.box, place, scale) for face, _ in self._faces]
        for (face, _), box in zip(self._faces, boxes, strict=True):
            # A dark line under the coloured one: seen on any picture.
            painter.setPen(QPen(QColor(0, 0, 0, 150), 4))
            painter.drawRect(box)
            painter.setPen(QPen(self._colours.of(face.track), 2))
            painter.drawRect(box)
        metrics, before, self._spots = QFontMetricsF(painter.font()), self._spots, {}
        for (face, label), box in zip(self._faces, boxes, strict=True):
            lines, had = _lines(label), before.get(face.track)
            kind, spot = placed(box, _size(metrics, lines), place, taken, had)
            _draw_label(painter, lines, spot, self._colours.of(face.track))
            self._spots[face.track] = kind
            taken.append(spot)


def _as_qt(image: Image) -> QImage:
    """Copied: the frame is not ours to keep. 32 bits scale faster than 24."""
    height, width = image.shape[:2]
    whole = np.ascontiguousarray(image)
    shared = QImage(whole.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return shared.convertToFormat(QImage.Format.Format_RGB32)


def _scaled(box: Box, place: QRectF, scale: float) -> QRectF:
    corner = QPointF(place.x() + box.x0 * scale, place.y() + box.y0 * scale)
    return QRectF(
        corner.x(), corner.y(), (box.x1 - box.x0) * scale, (box.y1 - box.y0) * scale
    ).intersected(place)


def _draw_title(painter: QPainter, place: QRectF, title: str) -> None:
    """At the lower edge of the picture, on a ground of its own."""
    metrics = QFontMetricsF(painter.font())
    width = min(place.width(), metrics.horizontalAdvance(title) + metrics.height())
    height = 1.4 * metrics.height()
    spot = QRectF(place.left(), place.bottom() - height, width, height)
    painter.fillRect(spot, QColor(0, 0, 0, 170))
    painter.setPen(QColor("white"))
    painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, title)


def _lines(label: Label) -> list[str]:
    return [f"{label.track}  {label.words}", *label.lines]


def _pad(metrics: QFontMetricsF) -> float:
    return metrics.height() / 4


def _size(metrics: QFontMetricsF, lines: Sequence[str]) -> QSizeF:
    width = max(metrics.horizontalAdvance(line) for line in lines) + 2 * _pad(metrics)
    return QSizeF(width, metrics.height() * len(lines) + _pad(metrics))


def placed(
    box: QRectF, size: QSizeF, place: QRectF, taken: Sequence[QRectF], before: int | None
) -> tuple[int, QRectF]:
    """Which of six spots a label has, and where that is: above its box if there is room, else
    below, right, left, or in it.

    before: the one it had in the last picture, and keeps while there is room: a box that trembles
    would make it jump.
    """
    left = min(max(box.left() - 2, place.left()), max(place.left(), place.right() - size.width()))
    beside = max(place.top(), box.top() - 2)
    corners = (
        QPointF(left, box.top() - size.height() - 2),
        QPointF(left, box.bottom() + 2),
        QPointF(box.right() + 2, beside),
        QPointF(box.left() - size.width() - 2, beside),
        QPointF(left, box.top() + 2),
        QPointF(left, box.bottom() - size.height() - 2),
    )
    spots = list(enumerate(QRectF(corner, size) for corner in corners))
    inside = [spot for spot in spots if place.contains(spot[1])]
    free = [(i, s) for i, s in inside if not any(s.intersects(other) for other in taken)]
    same = [(i, s) for i, s in free if i == before and i < IN_THE_BOX]
    return (same or free or inside or spots)[0]


def _draw_label(painter: QPainter, lines: Sequence[str], spot: QRectF, colour: QColor) -> None:
    metrics = QFontMetricsF(painter.font())
    pad = _pad(metrics)
    painter.fillRect(spot, colour)
    painter.setPen(on(colour))
    for i, line in enumerate(lines):
        at = QRectF(spot.left() + pad, spot.top() + pad / 2, spot.width(), metrics.height())
        at.translate(0, i * metrics.height())
        painter.drawText(at, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, line)
