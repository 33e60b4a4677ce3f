"""`python -m tracker` is `emotrack`."""

import sys

from tracker.cli import main

sys.exit(main())
