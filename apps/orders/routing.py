"""Where the private streams are. Before the public ones, whose pattern takes any name."""

from django.urls import re_path

from apps.orders.disconnect import SwitchedApiSocket, SwitchedUserSocket

websocket_urlpatterns = [
    re_path(r"^ws/user/?$", SwitchedUserSocket.as_asgi()),
    re_path(r"^ws-api/v3/?$", SwitchedApiSocket.as_asgi()),
]
