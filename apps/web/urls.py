"""Addresses of the pages."""

from django.urls import path

from apps.web import views

app_name = "web"
urlpatterns = [
    path("", views.markets, name="markets"),
    path("trade/<str:symbol>", views.trade, name="trade"),
    path("login", views.login, name="login"),
    path("login/", views.login),
    path("signup", views.signup, name="signup"),
]
