"""How the sound networks were made, and how well they do."""
