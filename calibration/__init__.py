"""How the networks were made (needs the extra `train`) and are evaluated: a folder for each."""
