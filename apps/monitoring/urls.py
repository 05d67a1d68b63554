"""Addresses of monitoring. Its staff pages stand in front of the admin's own."""

from django.contrib import admin
from django.urls import path

from apps.monitoring import jurisdictions, views

staff = admin.site.admin_view

urlpatterns = [
    path("api/v1/trust", views.Trust.as_view(), name="trust"),
    path("admin/login/", views.staff_login),
    path("admin/password_change/", views.not_here),  # Passwords change where customers' do.
    path("admin/journals/", staff(views.journals), name="staff-journals"),
    path("admin/compliance/rules/", staff(jurisdictions.rules), name="staff-rules"),
    path("admin/compliance/rules/edit/", staff(jurisdictions.edit), name="staff-rules-edit"),
    path(
        "admin/compliance/rules/<int:number>/",
        staff(jurisdictions.version),
        name="staff-rules-version",
    ),
    path("admin/services/", staff(views.services), name="staff-services"),
]
