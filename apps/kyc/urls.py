"""Addresses of identity checks."""

from django.urls import path

from apps.kyc.views import applications, documents, overview, personal, specimens

app_name = "kyc"
_ONE = "api/v1/kyc/applications/<uuid:public_id>"
urlpatterns = [
    path("api/v1/kyc", overview.Overview.as_view(), name="overview"),
    path("api/v1/kyc/limits", overview.Limits.as_view(), name="limits"),
    path("api/v1/kyc/export", personal.Export.as_view(), name="export"),
    path("api/v1/kyc/erasure", personal.Erasure.as_view(), name="erasure"),
    path("api/v1/kyc/specimens/<str:kind>", specimens.Specimen.as_view(), name="specimen"),
    path("api/v1/kyc/applications", applications.Applications.as_view(), name="applications"),
    path(_ONE, applications.OneApplication.as_view(), name="application"),
    path(f"{_ONE}/submission", applications.Submission.as_view(), name="submission"),
    path(f"{_ONE}/documents", documents.Documents.as_view(), name="documents"),
    path(f"{_ONE}/documents/<uuid:document_id>", documents.OneDocument.as_view(), name="document"),
]
