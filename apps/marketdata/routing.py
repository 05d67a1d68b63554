"""Where the public streams are."""

from django.urls import re_path

from apps.marketdata.feeds import CombinedSocket, StreamSocket

websocket_urlpatterns = [
    re_path(r"^stream/?$", CombinedSocket.as_asgi()),
    re_path(r"^ws/?$", StreamSocket.as_asgi()),
    re_path(r"^ws/(?P<names>[^?]{1,8000})$", StreamSocket.as_asgi()),
]
