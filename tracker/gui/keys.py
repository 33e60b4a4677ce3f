"""What can be asked of a run: each by a key, and by a button that names the key."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QColor, QKeySequence, QPalette
from PySide6.QtWidgets import QMainWindow, QToolBar, QToolButton

from tracker.gui.colours import SWITCHED_ON, on

ARROWS = {"Left": "\N{LEFTWARDS ARROW}", "Right": "\N{RIGHTWARDS ARROW}"}


class Keys(QToolBar):
    """A row of buttons; `on` adds one."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__("Keys")
        self._window = window
        self.setMovable(False)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)

    def on(
        self, key: str, name: str, tip: str, act: Callable[[], None], *, repeat: bool = False
    ) -> QAction:
        """A key that does something at once. repeat: again and again while it is held."""
        action = self._added(key, name, tip)
        action.setAutoRepeat(repeat)
        action.triggered.connect(lambda: act())
        return action

    def switch(self, key: str, name: str, tip: str, act: Callable[[bool], None]) -> QAction:
        """A key that turns something on and off; the button shows which. It begins as off."""
        action = self._added(key, name, tip)
        action.setCheckable(True)
        action.toggled.connect(act)
        action.toggled.connect(lambda state: self._paint(action, state))
        return action

    def _paint(self, action: QAction, state: bool) -> None:
        """Qt's own mark of a switch that is on can hardly be seen in a dark window."""
        colour = QColor(SWITCHED_ON)
        palette = QPalette(colour) if state else QPalette()  # that of the window
        if state:
            palette.setColor(QPalette.ColorRole.ButtonText, on(colour))
        self.widgetForAction(action).setPalette(palette)

    def _added(self, key: str, name: str, tip: str) -> QAction:
        sequence = QKeySequence(key)
        shown = ARROWS.get(key) or sequence.toString(QKeySequence.SequenceFormat.NativeText)
        action = QAction(f"{name} ({shown})")
        action.setParent(self)
        action.setShortcut(sequence)
        action.setToolTip(tip)
        action.setAutoRepeat(False)
        self.addAction(action)
        self._window.addAction(action)  # works while the button is out of sight, too
        button = self.widgetForAction(action)
        if isinstance(button, QToolButton):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the space bar is ours
        return action
