"""One language, one way."""
