"""The window, and its plots for windows of your own. Needs the extra `gui`.

    from tracker.gui import EmotionPlane, EmotionPlot

`examples/embed_qt.py` shows both beside somebody else's widgets.
"""

from __future__ import annotations

from importlib import import_module

try:
    for name in ("PySide6.QtWidgets", "pyqtgraph"):  # pyqtgraph takes whichever Qt is loaded
        import_module(name)
except ImportError as missing:  # the package, or a library of the system that it needs
    raise ImportError(
        f"the window needs PySide6 and pyqtgraph: pip install 'emotrack[gui]' ({missing})",
        name=missing.name,
    ) from None

from tracker.gui.curves import EmotionPlot
from tracker.gui.plane import EmotionPlane

__all__ = ["EmotionPlane", "EmotionPlot"]
