"""The book as a pure function of its headers and frames: no clock, no dice, no I/O, no logging."""

from matching_worker.engine.machine import BookMachine

__all__ = ["BookMachine"]
