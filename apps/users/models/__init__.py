"""People, their trading accounts, their API keys. Private to this app."""

from apps.users.models.accounts import (
    KYC_TIER_MAX,
    VIP_TIER_MAX,
    AccountCounter,
    FeeTier,
    TradingAccount,
)
from apps.users.models.devices import Device, DeviceQuerySet
from apps.users.models.factors import AuthenticatorApp, RecoveryCode, RecoveryCodes
from apps.users.models.identity import PendingSignUp, Proof, ProofQuerySet
from apps.users.models.kept_keys import KeptKey
from apps.users.models.keys import ApiKey, ApiKeyQuerySet
from apps.users.models.log_ins import LogIn
from apps.users.models.mail import Mail, MailQuerySet
from apps.users.models.people import User, UserManager
from apps.users.models.resets import FactorReset

__all__ = [
    "KYC_TIER_MAX",
    "VIP_TIER_MAX",
    "AccountCounter",
    "ApiKey",
    "ApiKeyQuerySet",
    "AuthenticatorApp",
    "Device",
    "DeviceQuerySet",
    "FactorReset",
    "FeeTier",
    "KeptKey",
    "LogIn",
    "Mail",
    "MailQuerySet",
    "PendingSignUp",
    "Proof",
    "ProofQuerySet",
    "RecoveryCode",
    "RecoveryCodes",
    "TradingAccount",
    "User",
    "UserManager",
]
