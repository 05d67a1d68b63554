"""English: the language of the sources."""
