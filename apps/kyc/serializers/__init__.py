"""JSON in and out of this app, by what it is about."""
