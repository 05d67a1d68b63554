"""Logs: JSON on stderr, no secrets (apps/common/logs.py)."""

from apps.common import logs
from apps.common.config import config

logs.configure_structlog()
LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logs.logging_dict(level=config.text("FAIRBOOK_LOG_LEVEL"))
