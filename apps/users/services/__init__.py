"""What can be done: one module per thing it is done to."""
