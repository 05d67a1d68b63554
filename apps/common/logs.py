"""Structured logs: one JSON object a line, an event name with dots, ids, and never a secret.

No Django here: workers use it through `apps.common.service`, the site through its settings.
"""

from __future__ import annotations

import logging
import logging.config
import os
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_SECRET_WORDS = re.compile(
    r"password|passwd|secret|signature|token|cookie|authorization|api_?key|totp|private",
    re.IGNORECASE,
)
_URL_CREDENTIALS = re.compile(r"(\w+://[^:/\s@]*):[^@\s/]+@")


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Take out what must never be in a log: values under secret names, passwords inside URLs."""
    for key, value in event.items():
        if _SECRET_WORDS.search(key):
            event[key] = "[secret]"
        elif isinstance(value, str) and "://" in value:
            event[key] = _URL_CREDENTIALS.sub(r"\1:[secret]@", value)
    return event


def _shared_processors() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,
    ]


def logging_dict(*, level: str = "INFO") -> dict[str, Any]:
    """Return a `logging.config` dictionary that renders every record, ours or not, as JSON."""
    quiet = {"handlers": [], "level": "WARNING", "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _shared_processors(),
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(default=str),
                ],
            }
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "json",
                "stream": sys.stderr,
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": dict.fromkeys(
            ("httpx", "httpcore", "asyncio", "django.server", "uvicorn.access", "daphne"), quiet
        ),
    }


def configure_structlog() -> None:
    """Route structlog through the standard library, so that one handler writes every line."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def configure(*, service: str) -> None:
    """Set up JSON logs for a process that is not Django, and put its name on every line."""
    logging.config.dictConfig(logging_dict(level=os.environ.get("FAIRBOOK_LOG_LEVEL", "INFO")))
    configure_structlog()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(service=service)
