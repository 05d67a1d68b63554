"""The books' public voice: follows their logs, feeds Channels, and nudges settlement.

A process of its own with a cursor of its own, so that no book ever waits for Channels or Celery.
"""
