"""The language of an answer: pages speak the reader's, the API speaks English to everybody."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

# Programs compare what these say; pages translate it where they show it (static/js/lib/words.js).
ENGLISH_ONLY = ("/api/", "/sapi/", "/fapi/", "/dapi/", "/health/")


class PageLanguage(LocaleMiddleware):
    """Speak by the language cookie, else by what the browser asks for. Reads no table."""

    def process_request(self, request: HttpRequest) -> None:
        """Choose the language of what is made for this request."""
        if not request.path_info.startswith(ENGLISH_ONLY):
            super().process_request(request)
            return
        translation.activate(settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = settings.LANGUAGE_CODE

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Say which language it was. What speaks one only says nothing."""
        if request.path_info.startswith(ENGLISH_ONLY):
            return response
        return super().process_response(request, response)
