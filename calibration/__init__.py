"""How the networks were made (needs the extra `train`) and are evaluated: a folder for each."""

import sys
from types import TracebackType

import engines  # noqa: F401  # before any onnxruntime: it keeps that from reporting

TRAIN = {"espeakng_loader", "onnx", "onnxscript", "scipy", "torch"}  # what the extra brings
FAILED = 2  # exit code


def _without_the_extra(
    kind: type[BaseException], wrong: BaseException, trace: TracebackType | None
) -> None:
    """A recipe whose packages are absent ends with one line; a bug keeps its traceback."""
    if isinstance(wrong, ModuleNotFoundError) and (wrong.name or "").split(".")[0] in TRAIN:
        print(f"emotrack: this needs {wrong.name}: pip install 'emotrack[train]'", file=sys.stderr)
        sys.exit(FAILED)
    sys.__excepthook__(kind, wrong, trace)


if sys.argv[:1] == ["-m"]:  # so while Python looks for what it was told to run: one of ours
    sys.excepthook = _without_the_extra
