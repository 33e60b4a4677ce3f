"""The command line: dispatch, and every error of ours as one line.

Exit codes: 0 done; 2 nothing could be read or written, or a wrong command; 3 done as far as the
input could be read, or its table be written; 130 stopped with Ctrl-C, SIGTERM or SIGHUP.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
from importlib import import_module

from tracker.sinks.base import ODD

COMMANDS = ("calibrate", "cameras", "engines", "eval", "microphones", "models", "smooth")
FAILED, PARTLY, STOPPED = 2, 3, 130
REFUSED = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)  # a name, by the system


def main(words: list[str] | None = None) -> int:
    words = sys.argv[1:] if words is None else words
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name may be more than it can say
        sys.stdout.reconfigure(errors=ODD)
    logging.basicConfig(format="emotrack: %(message)s")
    command = words[0] if words and words[0] in COMMANDS else "watch"
    try:
        # The first word decides which of the commands' libraries are needed at all.
        module = import_module(f"tracker.commands.{command}")
        code: int = module.main(words[1:] if command != "watch" else words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("emotrack: stopped", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:  # whoever read our output has left: their choice, not an error
        _hush()
        return 0
    except OSError as wrong:
        if wrong.filename is not None and wrong.errno in REFUSED:
            print(f"emotrack: {wrong.filename}: {wrong.strerror}", file=sys.stderr)
            return FAILED
        if wrong.errno != errno.ENOSPC or wrong.filename is not None:
            raise
        print(f"emotrack: cannot write standard output ({wrong.strerror})", file=sys.stderr)
        _hush()
        return FAILED
    except RuntimeError as wrong:
        if not _ours(wrong):
            raise
        print(f"emotrack: {wrong}", file=sys.stderr)
        return FAILED


def _hush() -> None:
    """What is left in standard output's buffer cannot be written, and is not tried again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _ours(wrong: RuntimeError) -> bool:
    """Errors that name a file or a value; a bug keeps its traceback."""
    from calibration.labelled.labels import LabelError
    from calibration.traces.tables import TraceError
    from engines import EngineError
    from tracker.commands.view import NoWindow
    from tracker.models import ModelError
    from tracker.profile import ProfileError
    from tracker.sinks.base import SinkError
    from tracker.sources import SourceError

    ours = EngineError | ModelError | NoWindow | ProfileError | SinkError | SourceError
    return isinstance(wrong, ours | LabelError | TraceError)


if __name__ == "__main__":
    sys.exit(main())
