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

from tracker.sinks.base import ODD, hush

COMMANDS = ("calibrate", "cameras", "engines", "eval", "microphones", "models", "smooth")
DONE, FAILED, STOPPED = 0, 2, 130
REFUSED = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)  # a name, by the system


def main(words: list[str] | None = None) -> int:
    words = sys.argv[1:] if words is None else words
    _open_what_is_closed()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name may be more than it can say
        sys.stdout.reconfigure(errors=ODD)
    logging.basicConfig(format="emotrack: %(message)s")
    code: int = DONE
    command = words[0] if words and words[0] in COMMANDS else "watch"
    try:
        # The first word decides which of the commands' libraries are needed at all.
        module = import_module(f"tracker.commands.{command}")
        code = module.main(words[1:] if command != "watch" else words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("emotrack: stopped", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:  # whoever read our output has left: their choice, not an error
        hush(sys.stdout)
        return code
    except OSError as wrong:
        if wrong.filename is not None and wrong.errno in REFUSED:
            print(f"emotrack: {wrong.filename}: {wrong.strerror}", file=sys.stderr)
            return FAILED
        if wrong.errno != errno.ENOSPC or wrong.filename is not None:
            raise
        print(f"emotrack: cannot write standard output ({wrong.strerror})", file=sys.stderr)
        hush(sys.stdout)
        return FAILED
    except RuntimeError as wrong:
        if not _ours(wrong):
            raise
        print(f"emotrack: {wrong}", file=sys.stderr)
        return FAILED


def _open_what_is_closed() -> None:
    """Standard streams that whoever started us has closed: the next file to be opened would take
    their place, and what libraries print would go into it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  # until we end


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
