"""A market to play with: `make up` on one machine."""

from apps.common.config import config

DEBUG = config.flag("FAIRBOOK_DEBUG")
DEMO = True
