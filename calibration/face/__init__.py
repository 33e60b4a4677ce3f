"""The network that reads a face: valence, arousal and eight expressions. Read `train` first."""
