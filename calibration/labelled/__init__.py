"""Readings of labelled pictures against their labels. Read `scores` first."""
