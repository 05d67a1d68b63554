"""German: other words, the same numbers."""
