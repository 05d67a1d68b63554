"""Addresses of people's own things."""

from django.urls import path

from apps.users import views

app_name = "users"
urlpatterns = [
    path("api/v1/session", views.SessionView.as_view(), name="session"),
    path("api/v1/users", views.SignUp.as_view(), name="sign-up"),
    path("api/v1/account", views.Account.as_view(), name="account"),
    path("api/v1/account/keys", views.Keys.as_view(), name="keys"),
    path("api/v1/account/keys/<str:public_id>", views.Key.as_view(), name="key"),
]
