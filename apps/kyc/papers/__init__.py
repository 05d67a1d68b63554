"""What comes out of files that strangers send."""
