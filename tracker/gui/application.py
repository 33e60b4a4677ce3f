"""Qt's application, or one clear line about why there can be none."""

from __future__ import annotations

import os
import sys

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

FAILED = 2  # exit code


def open_application() -> QApplication:
    """The application of this process.

    Where no display can be opened Qt ends the process, whatever we do: it ends with one line of
    ours and exit code 2 instead of Qt's own page and a core file.
    """
    there = QApplication.instance()
    if isinstance(there, QApplication):
        return there
    said: list[str] = []

    def hear(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        said.extend(line.strip().rstrip(".") for line in text.splitlines() if line.strip())
        if kind == QtMsgType.QtFatalMsg:  # its cause was the first thing that was said
            print(f"emotrack: no window can be opened: {said[0]}", file=sys.stderr, flush=True)
            os._exit(FAILED)

    before = qInstallMessageHandler(hear)
    try:
        return QApplication(["emotrack"])
    finally:
        qInstallMessageHandler(before)
