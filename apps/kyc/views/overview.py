"""Where a person stands, as JSON under /api/v1/kyc."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.config import config
from apps.kyc import selectors
from apps.kyc.contracts import Left
from apps.kyc.requirements import CLOCK_WORDS, TIER_NAMES, TIERS, needs_of
from apps.kyc.serializers.overview import LimitsOut, OverviewOut
from apps.kyc.services import limits
from apps.kyc.views import shown
from apps.users.views.base import account_of


class Overview(APIView):
    """A person's tier, what it lets them do, and what the next ones ask for and bring."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=OverviewOut)
    def get(self, request: Request) -> Response:
        """Say where you stand."""
        standing = account_of(request)
        left = limits.left(user_id=standing.user_id, at=timezone.now())
        overview = {
            "tier": standing.kyc_tier,
            "verifications": selectors.live_verifications(standing.user_id),
            "limits": _limits(left),
            "tiers": [_tier(tier) for tier in TIERS],
            "open_application": selectors.open_application(standing.user_id),
            "specimens": hands_out_specimens(),
        }
        return Response(OverviewOut(overview).data)


class Limits(APIView):
    """What may still be withdrawn."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=LimitsOut)
    def get(self, request: Request) -> Response:
        """Say what is left of the rolling day and of 30 days, in US cents."""
        left = limits.left(user_id=account_of(request).user_id, at=timezone.now())
        return Response(_limits(left))


def hands_out_specimens() -> bool:
    """Whether the demo's specimens are of any use here."""
    return bool(settings.DEMO) and config.text("FAIRBOOK_KYC_PROVIDER") == "sandbox"


def _limits(left: Left) -> dict[str, Any]:
    numbers = {
        "day_cents": left.day_cents,
        "day_used_cents": left.day_used_cents,
        "month_cents": left.month_cents,
        "month_used_cents": left.month_used_cents,
        "left_cents": left.left_cents,
    }
    texts = {name: None if cents is None else str(cents) for name, cents in numbers.items()}
    return {"tier": left.tier, **texts}


def _tier(tier: int) -> dict[str, Any]:
    terms, needs = limits.terms_of(tier), needs_of(frozenset({tier}))
    return {
        "tier": tier,
        "name": TIER_NAMES[tier],
        "clock": CLOCK_WORDS[tier],
        "day_cents": None if terms.day_cents is None else str(terms.day_cents),
        "month_cents": None if terms.month_cents is None else str(terms.month_cents),
        "spot": terms.spot,
        "perpetual": terms.perpetual,
        "sub_accounts": terms.sub_accounts,
        "questions": [shown.question(each) for each in needs.questions],
        "papers": [shown.paper(each) for each in needs.papers],
    }
