"""What can be done about identity checks, one module per thing."""
