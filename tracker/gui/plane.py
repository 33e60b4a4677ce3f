"""The circumplex: where everyone stands between unpleasant and pleasant, calm and excited."""

from __future__ import annotations

from collections import deque
from math import cos, radians, sin

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from tracker.gui.colours import Colours, faint, on
from tracker.values import Affect, FrameResult

TRAIL = 5.0  # s that a trail goes back
GONE = 1.0  # s unseen after which a person is not drawn any more
FADES = 12  # steps in which a trail fades
LEAST = 0.55  # of the size it asks for
GAP = 2.0  # points between the circle and a word
EDGE = 4.0  # points that stay free at the edges
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

    def __init__(self, parent: QWidget | None = None, *, colours: Colours | None = None) -> None:
        """colours: as of EmotionPlot."""
        super().__init__(parent)
        self._colours = colours or Colours()
        self._trails: dict[int, deque[tuple[float, Affect]]] = {}
        self._scene: Affect | None = None
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        policy.setHeightForWidth(False)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:
        side = 22 * QFontMetricsF(self.font()).height()
        return QSize(round(side * 1.1), round(side))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint() * LEAST

    def add(self, result: FrameResult) -> None:
        """The result of one frame, in the order of time; a step back, or a cut, begins anew."""
        now = result.pts
        self._colours.add(result)
        self._trails = {
            track: trail
            for track, trail in ({} if result.cut else self._trails).items()
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
        radius, words = arranged(QSizeF(self.size()), QFontMetricsF(self.font()))
        middle = QRectF(self.rect()).center()
        self._draw_ground(painter, middle, radius, words)
        for track, trail in self._trails.items():
            self._draw_trail(painter, middle, radius, track, trail)
        if self._scene is not None:
            self._draw_scene(painter, _at(self._scene, middle, radius))

    def _draw_ground(
        self, painter: QPainter, middle: QPointF, radius: float, words: list[tuple[str, QRectF]]
    ) -> None:
        painter.setPen(QPen(faint(self.palette(), 0.25), 1))
        for share in (0.5, 1.0):
            painter.drawEllipse(middle, radius * share, radius * share)
        painter.drawLine(middle - QPointF(radius, 0), middle + QPointF(radius, 0))
        painter.drawLine(middle - QPointF(0, radius), middle + QPointF(0, radius))
        painter.setPen(faint(self.palette(), 0.8))
        for word, spot in words:
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
        colour = self._colours.of(track)
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
        colour = self._colours.of(track)
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


def arranged(size: QSizeF, metrics: QFontMetricsF) -> tuple[float, list[tuple[str, QRectF]]]:
    """Radius of the circle about (0, 0), as large as fits, and where the words stand, in points.

    Those of the horizontal axis stand on it, within; the others outside the circle. Where eight
    would overlap, there are four.
    """
    most = min(size.width() / 2, size.height() / 2 - metrics.height() - GAP) - EDGE
    widest = max(metrics.horizontalAdvance(word) for word in WORDS[1::2])
    across = (size.width() / 2 - EDGE - widest) / cos(radians(APART)) - GAP
    radius, words = min(across, most), range(len(WORDS))
    on_axis = sum(metrics.horizontalAdvance(word) for word in WORDS[::4])
    if radius < max(ROOM * metrics.height(), EDGE + (on_axis + GAP) / 2):
        radius, words = most, range(0, len(WORDS), 2)
    return max(1.0, radius), [(WORDS[i], _spot(i, radius, metrics)) for i in words]


def _spot(i: int, radius: float, metrics: QFontMetricsF) -> QRectF:
    """Where one word stands."""
    width, height = metrics.horizontalAdvance(WORDS[i]), metrics.height()
    x, y = round(cos(radians(APART * i)), 6), -round(sin(radians(APART * i)), 6)
    if y == 0:  # on the axis, within
        return QRectF(x * (radius - EDGE) - (width if x > 0 else 0), -height, width, height)
    corner = QPointF(x, y) * (radius + GAP)  # or the middle of an edge
    left = corner.x() - (width / 2 if x == 0 else width if x < 0 else 0)
    return QRectF(left, corner.y() - (height if y < 0 else 0), width, height)
