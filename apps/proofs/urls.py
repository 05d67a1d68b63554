"""Addresses of the proofs."""

from django.urls import path

from apps.proofs import views

app_name = "proofs"
urlpatterns = [
    path("api/v1/proofs/heads", views.Heads.as_view(), name="heads"),
    path("api/v1/proofs/segments", views.Segments.as_view(), name="segments"),
    path(
        "api/v1/proofs/segments/<str:market>/<str:name>",
        views.SegmentFile.as_view(),
        name="segment",
    ),
]
