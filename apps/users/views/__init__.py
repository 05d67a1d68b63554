"""JSON under /api/v1, by what it is about."""
