"""A person's applications, as JSON under /api/v1/kyc."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kyc import nudging, selectors
from apps.kyc.serializers.applications import (
    AnswersIn,
    ApplicationOut,
    BeginIn,
    FullApplicationOut,
)
from apps.kyc.services import applications
from apps.kyc.views import shown
from apps.users.views.base import user_id_of


class Applications(APIView):
    """All applications of a person."""

    permission_classes = [IsAuthenticated]
    tries_per_minute = {"POST": 20}

    @extend_schema(request=None, responses=ApplicationOut(many=True))
    def get(self, request: Request) -> Response:
        """List them, newest first (at most 100)."""
        rows = selectors.applications_of(user_id_of(request))[:100]
        return Response(ApplicationOut(rows, many=True).data)

    @extend_schema(request=BeginIn, responses={201: FullApplicationOut})
    def post(self, request: Request) -> Response:
        """Begin one, or return the open one for the same tier."""
        body = BeginIn(data=request.data)
        body.is_valid(raise_exception=True)
        begun = applications.begin(
            user_id=user_id_of(request), tier=body.validated_data["tier"], at=timezone.now()
        )
        return Response(shown.application(begun), status=status.HTTP_201_CREATED)


class OneApplication(APIView):
    """One application."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=FullApplicationOut)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Show what it asks and what of it is there."""
        found = selectors.application_for(user_id=user_id_of(request), public_id=public_id)
        return Response(shown.application(found))

    @extend_schema(request=AnswersIn, responses=FullApplicationOut)
    def patch(self, request: Request, public_id: UUID) -> Response:
        """Keep some answers, while it is your turn. All that were sent, or none."""
        body = AnswersIn(data=request.data)
        body.is_valid(raise_exception=True)
        row = applications.answer(
            user_id=user_id_of(request),
            public_id=public_id,
            given=body.validated_data["answers"],
            at=timezone.now(),
        )
        return Response(shown.application(row))

    @extend_schema(request=None, responses=FullApplicationOut)
    def delete(self, request: Request, public_id: UUID) -> Response:
        """Withdraw it."""
        row = applications.withdraw(
            user_id=user_id_of(request), public_id=public_id, at=timezone.now()
        )
        return Response(shown.application(row))


class Submission(APIView):
    """The hand-over of an application."""

    permission_classes = [IsAuthenticated]
    tries_per_minute = {"POST": 20}

    @extend_schema(request=None, responses={202: FullApplicationOut})
    def post(self, request: Request, public_id: UUID) -> Response:
        """Hand it in. It is checked beside this answer; look again."""
        row = applications.submit(
            user_id=user_id_of(request), public_id=public_id, at=timezone.now()
        )
        nudging.check_soon(row.pk)
        return Response(shown.application(row), status=status.HTTP_202_ACCEPTED)
