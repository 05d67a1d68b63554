"""Where the private streams are. Before the public ones, whose pattern takes any name."""

from django.urls import re_path

from apps.orders.feeds import ApiSocket, UserSocket

websocket_urlpatterns = [
    re_path(r"^ws/user/?$", UserSocket.as_asgi()),
    re_path(r"^ws-api/v3/?$", ApiSocket.as_asgi()),
]
