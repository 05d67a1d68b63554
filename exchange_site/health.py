"""Health of an edge, as its process reports it (apps/common/service.py)."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from apps.common import service


@require_safe
async def live(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as the process answers at all."""
    running = service.current()
    return JsonResponse((running.health() if running else {"checks": {}}) | {"status": "live"})


@require_safe
async def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when this edge can take orders, else 503 with the check that fails."""
    running = service.current()
    if running is None:
        return JsonResponse({"status": "starting", "checks": {}, "build": ""}, status=503)
    return JsonResponse(running.health(), status=200 if running.ready else 503)
