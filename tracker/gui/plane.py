"""The circumplex: where everyone stands between unpleasant and pleasant, calm and excited."""

from __future__ import annotations

from collections import deque
from math import cos, radians, sin

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from tracker.gui.colours import faint, of_track, on
from tracker.values import Affect, FrameResult

TRAIL = 5.0  # s that a trail goes back
GONE = 1.0  # s unseen after which a person is not drawn any more
FADES = 12  # steps in which a trail fades
ROOM = 3.0  # lines of text; on a smaller radius there is no room for all eight words

# Russell (1980), "A circumplex model of affect", J. Pers. Soc. Psychol. 39, 1161-1178: the
# abstract names eight kinds of affect and their angles. Written as adjectives.
WORDS = (
    *("pleased", "excited", "aroused", "distressed"),
    *("displeased", "depressed", "sleepy", "relaxed"),
)
APART = 45  # degrees between two words, anticlockwise from the right


class EmotionPlane(QWidget):
    """Valence to the right, arousal upwards; a point per person, and a trail that fades.

    The smooth values are drawn. A diamond is what the scene evokes. For the GUI's thread only.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trails: dict[int, deque[tuple[float, Affect]]] = {}
        self._scene: Affect | None = None
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        policy.setHeightForWidth(False)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:
        side = 22 * QFontMetricsF(self.font()).height()
        return QSize(round(side * 1.1), round(side))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint() / 2

    def add(self, result: FrameResult) -> None:
        """The result of one frame, in the order of time; a step back begins anew."""
        now = result.pts
        self._trails = {
            track: trail
            for track, trail in self._trails.items()
            if trail[-1][0] <= now <= trail[-1][0] + GONE
        }
        for person in result.people:
            trail = self._trails.setdefault(person.face.track, deque())
            trail.append((now, person.affect.smooth))
            while trail[0][0] < now - TRAIL:
                trail.popleft()
        evoked = None if result.scene is None else result.scene.affect
        self._scene = None if evoked is None else evoked.smooth

    def clear(self) -> None:
        self._trails, self._scene = {}, None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Base))
        metrics = QFontMetricsF(self.font())
        across = self.width() / 2 - metrics.horizontalAdvance("displeased") - 10
        upward = self.height() / 2 - 1.3 * metrics.height() - 2
        radius = max(20.0, min(across, upward))
        middle = QRectF(self.rect()).center()
        self._draw_ground(painter, middle, radius)
        for track, trail in self._trails.items():
            self._draw_trail(painter, middle, radius, track, trail)
        if self._scene is not None:
            self._draw_scene(painter, _at(self._scene, middle, radius))

    def _draw_ground(self, painter: QPainter, middle: QPointF, radius: float) -> None:
        painter.setPen(QPen(faint(self.palette(), 0.25), 1))
        for share in (0.5, 1.0):
            painter.drawEllipse(middle, radius * share, radius * share)
        painter.drawLine(middle - QPointF(radius, 0), middle + QPointF(radius, 0))
        painter.drawLine(middle - QPointF(0, radius), middle + QPointF(0, radius))
        painter.setPen(faint(self.palette(), 0.8))
        for word, spot in words_around(radius, QFontMetricsF(self.font())):
            painter.drawText(spot.translated(middle), Qt.AlignmentFlag.AlignCenter, word)

    def _draw_trail(
        self,
        painter: QPainter,
        middle: QPointF,
        radius: float,
        track: int,
        trail: deque[tuple[float, Affect]],
    ) -> None:
        now = trail[-1][0]
        pieces: list[list[QPointF]] = [[] for _ in range(FADES)]
        for pts, affect in trail:
            piece = min(FADES - 1, int(FADES * (1 - (now - pts) / TRAIL)))
            pieces[piece].append(_at(affect, middle, radius))
        colour = of_track(track)
        last: QPointF | None = None
        for i, points in enumerate(pieces):
            if not points:
                continue
            colour.setAlphaF((i + 1) / FADES)
            painter.setPen(QPen(colour, 2, c=Qt.PenCapStyle.FlatCap))
            painter.drawPolyline([*([] if last is None else [last]), *points])
            last = points[-1]
        self._draw_person(painter, _at(trail[-1][1], middle, radius), track)

    def _draw_person(self, painter: QPainter, at: QPointF, track: int) -> None:
        colour = of_track(track)
        metrics = QFontMetricsF(self.font())
        height = 1.24 * metrics.height()
        width = max(height, metrics.horizontalAdvance(str(track)) + height / 2)
        spot = QRectF(at.x() - width / 2, at.y() - height / 2, width, height)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Base), 1.5))
        painter.setBrush(colour)
        painter.drawRoundedRect(spot, height / 2, height / 2)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(on(colour))
        painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, str(track))

    def _draw_scene(self, painter: QPainter, at: QPointF) -> None:
        size = 0.5 * QFontMetricsF(self.font()).height()
        painter.setPen(QPen(faint(self.palette(), 0.9), 2))
        corners = [(0, -size), (size, 0), (0, size), (-size, 0)]
        painter.drawPolygon([at + QPointF(x, y) for x, y in corners])


def _at(affect: Affect, middle: QPointF, radius: float) -> QPointF:
    return middle + QPointF(affect.valence, -affect.arousal) * radius


def words_around(radius: float, metrics: QFontMetricsF) -> list[tuple[str, QRectF]]:
    """Each word's box touches the circle from outside, on the side of its angle. Where eight of
    them would overlap, there are four. radius: in points, of a circle about (0, 0)."""
    placed = []
    for i in range(0, len(WORDS), 1 if radius >= ROOM * metrics.height() else 2):
        x, y = cos(radians(APART * i)), -sin(radians(APART * i))
        width, height = metrics.horizontalAdvance(WORDS[i]) + 2, metrics.height()
        spot = QRectF(0, 0, width, height)
        beyond = radius + 4
        spot.moveCenter(QPointF(x * (beyond + width / 2), y * (beyond + height / 2)))
        placed.append((WORDS[i], spot))
    return placed
