"""Specimen papers for the demo: something to send to the sandbox. Nowhere else."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.kyc import selectors
from apps.kyc.providers import specimens
from apps.kyc.requirements import PAPER_BY_KIND
from apps.kyc.services import answers
from apps.kyc.views.overview import hands_out_specimens
from apps.users.views.base import user_id_of


class Specimen(APIView):
    """A paper that says what you declared, or something else if you wish."""

    permission_classes = [IsAuthenticated]
    tries_per_minute = {"GET": 60}

    @extend_schema(
        request=None,
        parameters=[OpenApiParameter("outcome", str, enum=["pass", "fail", "refer"])],
        responses={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, kind: str) -> Any:
        """Draw one for your open application. Only where the sandbox checks, in the demo."""
        application = selectors.open_application(user_id_of(request))
        if not hands_out_specimens() or kind not in PAPER_BY_KIND or application is None:
            raise NotFound
        said, today = answers.all_of(application), timezone.now().date()
        outcome = request.query_params.get("outcome", "pass")
        says = specimens.with_outcome(kind, said, today=today, outcome=outcome)
        return HttpResponse(specimens.draw(kind, says), content_type="image/png")
