"""The providers we know, and the one in use."""

from __future__ import annotations

from apps.common.config import BadSetting, config
from apps.kyc.providers.base import Provider
from apps.kyc.providers.sandbox import SandboxProvider

_KNOWN: dict[str, type[Provider]] = {"sandbox": SandboxProvider}


def provider_in_use() -> Provider:
    """Return the provider that FAIRBOOK_KYC_PROVIDER names."""
    name = config.text("FAIRBOOK_KYC_PROVIDER")
    if name not in _KNOWN:
        raise BadSetting(f"FAIRBOOK_KYC_PROVIDER={name!r}: known are {', '.join(sorted(_KNOWN))}")
    return _KNOWN[name]()
