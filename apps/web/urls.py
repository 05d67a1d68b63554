"""Addresses of the pages."""

from django.urls import path

from apps.web import views

app_name = "web"
urlpatterns = [
    path("", views.markets, name="markets"),
    path("trade/<str:symbol>", views.trade, name="trade"),
    path("login", views.login, name="login"),
    path("login/", views.login),
    path("signup/", views.signup, name="signup"),
    path("signup", views.signup),
    path("language/", views.language, name="language"),
    path("verify/", views.verify, name="verify"),
    path("forgot/", views.forgot, name="forgot"),
    path("reset/", views.reset, name="reset"),
    path("account/keys/", views.keys, name="keys"),
    path("account/security/", views.security, name="security"),
    path("account/verification/", views.verification, name="verification"),
]
