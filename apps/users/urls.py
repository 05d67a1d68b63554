"""Addresses of people's own things."""

from django.urls import path

from apps.users.views import (
    account,
    devices,
    factors,
    keys,
    open_sessions,
    passkeys,
    passwords,
    session,
    sign_up,
    subaccounts,
)

app_name = "users"
urlpatterns = [
    path("api/v1/session", session.SessionView.as_view(), name="session"),
    path("api/v1/session/factor", session.SessionFactor.as_view(), name="session-factor"),
    path(
        "api/v1/session/factor/reset",
        session.SessionFactorReset.as_view(),
        name="session-factor-reset",
    ),
    path(
        "api/v1/session/passkey/options",
        passkeys.SessionPasskeyOptions.as_view(),
        name="session-passkey-options",
    ),
    path("api/v1/session/passkey", passkeys.SessionPasskey.as_view(), name="session-passkey"),
    path("api/v1/users", sign_up.SignUp.as_view(), name="sign-up"),
    path("api/v1/users/proofs", sign_up.Proofs.as_view(), name="proofs"),
    path("api/v1/users/resets", passwords.Resets.as_view(), name="resets"),
    path("api/v1/users/resets/proofs", passwords.ResetProofs.as_view(), name="reset-proofs"),
    path("api/v1/account/password", passwords.Password.as_view(), name="password"),
    path("api/v1/account/email", passwords.Email.as_view(), name="email"),
    path("api/v1/account/devices", devices.Devices.as_view(), name="devices"),
    path("api/v1/account/devices/<int:number>", devices.Device.as_view(), name="device"),
    path("api/v1/account/sessions", open_sessions.Sessions.as_view(), name="sessions"),
    path(
        "api/v1/account/sessions/<int:number>", open_sessions.Session.as_view(), name="one-session"
    ),
    path("api/v1/account/security-log", open_sessions.SecurityLog.as_view(), name="security-log"),
    path("api/v1/account/factors", factors.Factors.as_view(), name="factors"),
    path("api/v1/account/factors/totp", factors.Apps.as_view(), name="apps"),
    path("api/v1/account/factors/totp/<int:number>/code", factors.App.as_view(), name="app"),
    path(
        "api/v1/account/factors/passkeys/options",
        passkeys.PasskeyOptions.as_view(),
        name="passkey-options",
    ),
    path("api/v1/account/factors/passkeys", passkeys.Passkeys.as_view(), name="passkeys"),
    path(
        "api/v1/account/factors/recovery-codes",
        factors.RecoveryCodes.as_view(),
        name="recovery-codes",
    ),
    path("api/v1/account/factors/<str:kind>/<int:number>", factors.Factor.as_view(), name="factor"),
    path("api/v1/account", account.Account.as_view(), name="account"),
    path("api/v1/account/keys", keys.Keys.as_view(), name="keys"),
    path("api/v1/account/keys/<str:public_id>", keys.Key.as_view(), name="key"),
    path("api/v1/account/subaccounts", subaccounts.Subaccounts.as_view(), name="subaccounts"),
    path(
        "api/v1/account/subaccounts/<int:number>",
        subaccounts.Subaccount.as_view(),
        name="subaccount",
    ),
]
