"""Writing without loss: whole lines, at once, and an honest error when the disk is full."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from types import TracebackType
from typing import BinaryIO, TextIO

# A file name that is not UTF-8 is written with \\udce9 for a byte: JSON gives back the same name.
ODD = "backslashreplace"


class SinkError(RuntimeError):
    """An output that cannot be written. The message names it and says why."""


def write_whole(path: Path, data: bytes) -> None:
    """Writes the whole file, or leaves what was there before; a link stays one. Raises SinkError
    naming it."""
    place = Path(os.path.realpath(path))
    partial = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        try:
            partial.write_bytes(data)
            os.replace(partial, place)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as wrong:
        raise SinkError(f"{path}: cannot write ({wrong.strerror})") from wrong


def hush(stream: TextIO) -> None:
    """Whoever read it has left: what is in its buffer is not tried again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Lines:
    """A text file that holds whole lines at every moment: each write goes straight to the system.

    target: "-" is standard output. Raises SinkError naming the file.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self._file: BinaryIO | None = None
        self._whole = 0  # bytes of complete lines

    def __enter__(self) -> Lines:
        if self.target == "-":
            if sys.__stdout__ is None:
                raise SinkError("standard output: cannot write (it is closed)")
            self._file = sys.stdout.buffer
            return self
        try:
            self._file = Path(self.target).open("wb", buffering=0)
        except OSError as wrong:
            raise SinkError(f"{self.target}: cannot write ({wrong.strerror})") from wrong
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None and self.target != "-":
            self._file.close()
        self._file = None

    def write(self, lines: str) -> None:
        """lines: one or more, each ending in a newline."""
        assert self._file is not None, "written to outside its with block"
        self._check_ours(self._file)
        data = lines.encode("utf-8", ODD)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as wrong:
            self._cut_back()
            raise SinkError(f"{self.target}: cannot write ({wrong.strerror})") from wrong
        self._whole += len(data)

    def ours(self) -> bool:
        """Whether the file is there still, and holds nothing but what was written here."""
        if self.target == "-":
            return True
        try:
            about = Path(self.target).stat()
        except OSError:
            return False
        return not S_ISREG(about.st_mode) or about.st_size == self._whole

    def discard(self) -> None:
        """Take the file away: a run that failed before its first row leaves none."""
        path = Path(self.target)
        if self.target != "-" and path.is_file() and self.ours():  # a device is not
            path.unlink()

    def _check_ours(self, file: BinaryIO) -> None:
        """The system would take every row to come, and nobody could ever read it, or not tell it
        from the rows of another run."""
        about = None if self.target == "-" else os.fstat(file.fileno())
        if about is None or not S_ISREG(about.st_mode):
            return
        if about.st_nlink == 0:
            raise SinkError(f"{self.target}: was removed while it was being written")
        if about.st_size != self._whole:
            raise SinkError(f"{self.target}: somebody else writes it too")

    def _cut_back(self) -> None:
        """Take back what was written of an unfinished line; shrinking works on a full disk."""
        if self.target != "-" and self._file is not None:
            with suppress(OSError):  # a device has no length to cut
                os.ftruncate(self._file.fileno(), self._whole)
