"""Settings: components are the same everywhere, an environment adds what differs.

FAIRBOOK_ENV picks the environment: demo, test or production; anything else refuses to start.
Values come from `apps.common.config`, the one registry; nothing here reads `os.environ`.
"""

from apps.common.config import config
from exchange_site.settings.components.api import *
from exchange_site.settings.components.base import *
from exchange_site.settings.components.databases import *
from exchange_site.settings.components.mail import *
from exchange_site.settings.components.observability import *
from exchange_site.settings.components.security import *
from exchange_site.settings.components.tasks import *

match config.env:
    case "demo":
        from exchange_site.settings.environments.demo import *
    case "test":
        from exchange_site.settings.environments.test import *
    case "production":
        from exchange_site.settings.environments.production import *
    case unknown:
        raise RuntimeError(f"FAIRBOOK_ENV={unknown} has no settings")
