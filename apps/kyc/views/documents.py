"""Papers in, as multipart under /api/v1/kyc. Nothing here shows one again."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kyc.papers import reading
from apps.kyc.serializers.applications import DocumentOut, UploadIn
from apps.kyc.services import documents
from apps.users.views.base import user_id_of


class Documents(APIView):
    """The papers of an application."""

    permission_classes = [IsAuthenticated]
    parser_classes = [MultiPartParser]
    tries_per_minute = {"POST": 30}

    @extend_schema(
        request={"multipart/form-data": UploadIn},
        responses={201: DocumentOut},
        description=f"JPEG, PNG, WebP or PDF, at most {reading.FILE_BYTES_MAX >> 20} MB.",
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Take one paper in; another of the same kind takes its place."""
        body = UploadIn(data=request.data)
        body.is_valid(raise_exception=True)
        document = documents.upload(
            user_id=user_id_of(request),
            public_id=public_id,
            kind=body.validated_data["kind"],
            body=body.validated_data["file"].read(),
            at=timezone.now(),
        )
        return Response(DocumentOut(document).data, status=status.HTTP_201_CREATED)


class OneDocument(APIView):
    """One paper."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, public_id: UUID, document_id: UUID) -> Response:
        """Take it back, while it is your turn."""
        documents.remove(
            user_id=user_id_of(request),
            public_id=public_id,
            document_id=document_id,
            at=timezone.now(),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)
