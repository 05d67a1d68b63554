"""The pure kernel: beliefs, money and numbers that name things. No Django, no clock, no I/O."""
