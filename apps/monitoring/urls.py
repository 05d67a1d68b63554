"""Addresses of monitoring. Its staff pages stand in front of the admin's own."""

from django.contrib import admin
from django.urls import path

from apps.monitoring import views

urlpatterns = [
    path("api/v1/trust", views.Trust.as_view(), name="trust"),
    path("admin/login/", views.staff_login),
    path("admin/password_change/", views.not_here),  # Passwords change where customers' do.
    path("admin/journals/", admin.site.admin_view(views.journals), name="staff-journals"),
    path("admin/services/", admin.site.admin_view(views.services), name="staff-services"),
]
