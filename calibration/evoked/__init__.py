"""Two published systems for what a picture makes its viewer feel, each with one command.

    python -m calibration.evoked.train deepemotion      six classes of CAP-D
    python -m calibration.evoked.train learningtofeel   the eight of You et al. (2016)

Their pictures are not ours to have: the loaders (`capd`, `flickr`) say which files they expect, and
how far that is known. What comes out is a network for `emotrack --scene`. Read `train.py` first.
"""
