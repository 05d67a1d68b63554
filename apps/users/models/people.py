"""People who can log in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac


class UserManager(BaseUserManager["User"]):
    """Make people by their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a person; without a password nobody can log in as them."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a person who may do everything in the back office."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """Find a person by e-mail address, in any case."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]
    """A person who can log in: by e-mail address. Staff roles are groups."""

    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(default=timezone.now)
    country = models.CharField(max_length=2, blank=True)  # As declared, in ISO 3166 letters.
    # Of their mails; none is English. PostgreSQL knows the default, for edges of the last release.
    language = models.CharField(max_length=12, blank=True, default="", db_default="")
    withdrawals_locked_until = models.DateTimeField(null=True, blank=True)
    # Kept beside the tables of factors by `services.factors`: every reading of a standing asks.
    has_factor = models.BooleanField(default=False)
    factors_version = models.PositiveIntegerField(default=0)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="email_is_lower_case"
            ),
        )

    def get_full_name(self) -> str:
        """Return the name to greet a person by."""
        return self.full_name or self.email.partition("@")[0]

    get_short_name = get_full_name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Mark log-ins with what they hang on: another password, address or factor ends all."""
        salt = "apps.users.models.people.User.get_session_auth_hash"
        hangs_on = f"{self.password}:{self.email}"
        if self.factors_version:  # Log-ins from before there were factors go on.
            hangs_on += f":{self.factors_version}"
        return salted_hmac(salt, hangs_on, secret=secret, algorithm="sha256").hexdigest()
