"""People's ratings of a film, and how each rater would score our readings. Read `fit` first."""
