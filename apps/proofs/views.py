"""Doors of the proofs: heads to save today, segments to check them with later. All are public."""

from __future__ import annotations

from functools import cache as once
from typing import Any

import redis
from django.db import DatabaseError, InterfaceError
from django.http import FileResponse, Http404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import Unavailable
from apps.common.redis_clients import journal_client
from apps.proofs import inside, selectors
from apps.proofs.serializers import PageIn, head_out, segment_out


class PublicView(APIView):
    """A door without a key."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class Heads(PublicView):
    """Where every journal stands, and where every outside chain stood at each minute's end."""

    @extend_schema(parameters=[PageIn], request=None, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Return all newest heads; with `market`, a page of its outside heads, oldest first."""
        asked = _page_in(request)
        if "market" in asked:
            return Response(self._page(asked))
        try:
            newest = inside.heads(_journal())
        except redis.RedisError:
            raise Unavailable("The journal server") from None
        return Response({"heads": newest, "outside": _newest_outside()})

    @staticmethod
    def _page(asked: dict[str, Any]) -> dict[str, Any]:
        try:
            found = selectors.heads_page(
                asked["market"],
                from_ms=asked.get("from"),
                to_ms=asked.get("to"),
                after=asked["after"],
            )
        except (DatabaseError, InterfaceError):
            raise Unavailable("The keeper of heads") from None
        following = found[-1].batch if len(found) == selectors.PAGE else None
        return {"outside": [head_out(head) for head in found], "after": following}


class Segments(PublicView):
    """Which segments there are."""

    @extend_schema(parameters=[PageIn], request=None, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Return the markets; with `market`, a page of its segments, oldest first."""
        asked = _page_in(request)
        told = {"delay_s": selectors.delay_s(), "markets": selectors.markets()}
        if "market" not in asked:
            return Response(told)
        market = asked["market"]
        found = selectors.segments_page(
            market, from_ms=asked.get("from"), to_ms=asked.get("to"), after=asked["after"]
        )
        following = found[-1].last if len(found) == selectors.PAGE else None
        rows = [
            segment_out(segment, url=reverse("proofs:segment", args=[market, segment.name]))
            for segment in found
        ]
        return Response({**told, "segments": rows, "after": following})


class SegmentFile(PublicView):
    """One segment."""

    @extend_schema(operation_id="proof_segment", request=None, responses=OpenApiTypes.BINARY)
    def get(self, _request: Request, market: str, name: str) -> FileResponse:
        """Return the file as it was written: gzip over JSON lines."""
        path = selectors.public_segment(market, name)
        if path is None:
            raise Http404
        return FileResponse(
            path.open("rb"), as_attachment=True, filename=name, content_type="application/gzip"
        )


def _page_in(request: Request) -> dict[str, Any]:
    asked = PageIn(data=request.query_params)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _newest_outside() -> list[dict[str, Any]] | None:
    """Return the newest outside heads; None while PostgreSQL is away, the rest being there."""
    try:
        return [head_out(head) for head in selectors.newest_heads()]
    except (DatabaseError, InterfaceError):
        return None


@once
def _journal() -> redis.Redis:
    return journal_client(socket_timeout=2, socket_connect_timeout=1)
