"""What films do to their viewers, second by second: MediaEval 2018, and our answer to it."""
