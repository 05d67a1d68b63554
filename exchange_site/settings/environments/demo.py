"""A market to play with: `make up` on one machine."""

from apps.common.config import config
from exchange_site.settings.components.base import INSTALLED_APPS

DEBUG = config.flag("FAIRBOOK_DEBUG")
DEMO = True
INSTALLED_APPS = [*INSTALLED_APPS, "apps.demo"]
