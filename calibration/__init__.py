"""How the networks were made (needs the extra `train`) and are evaluated: a folder for each."""

import engines  # noqa: F401  # before any onnxruntime: it keeps that from reporting
