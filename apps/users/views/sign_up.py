"""New accounts and proven addresses, as JSON under /api/v1."""

from __future__ import annotations

from django.utils.translation import get_language_from_request
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.users.serializers.log_in import AcceptedOut, ProofIn, ProvenOut, SignUpIn
from apps.users.services import passwords, people, whereabouts
from apps.users.views.base import CsrfChecked, answered_after

ACCEPTED = {"accepted": True}
SIGN_UP_S = 0.4


class SignUp(CsrfChecked, APIView):
    """A new account."""

    permission_classes = [AllowAny]
    tries_per_minute = {"POST": 20}

    @extend_schema(request=SignUpIn, responses={202: AcceptedOut})
    def post(self, request: Request) -> Response:
        """Take a sign-up and mail its proof. The answer is the same for a known address."""
        body = SignUpIn(data=request.data)
        body.is_valid(raise_exception=True)
        country = body.validated_data["country"]
        whereabouts.check_sign_up(request._request, country=country)  # noqa: SLF001
        language = get_language_from_request(request._request)  # noqa: SLF001 - of their mails.
        with answered_after(SIGN_UP_S):
            people.sign_up(**body.validated_data, language=language)
        return Response(ACCEPTED, status=status.HTTP_202_ACCEPTED)


class Proofs(CsrfChecked, APIView):
    """Words that prove an address."""

    permission_classes = [AllowAny]
    tries_per_minute = {"POST": 30}

    @extend_schema(request=ProofIn, responses={201: ProvenOut})
    def post(self, request: Request) -> Response:
        """Prove an address by the word that was mailed to it: of a sign-up, or a new one."""
        body = ProofIn(data=request.data)
        body.is_valid(raise_exception=True)
        proven = passwords.prove_address(body.validated_data["token"])
        return Response({"proven": proven}, status=status.HTTP_201_CREATED)
