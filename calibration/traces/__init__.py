"""Valence and arousal over time: tables, one clock, scores against gold. Read `series` first."""
