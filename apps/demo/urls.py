"""Addresses of the demo. Outside FAIRBOOK_ENV=demo there are none: everything here is a 404."""

from django.conf import settings
from django.urls import path

from apps.demo import views

app_name = "demo"
urlpatterns = (
    [
        path("demo/", views.demo, name="demo"),
        path("demo/mail", views.mail, name="mail"),
        path("demo/login/<str:login_name>", views.log_in_as, name="log-in"),
        path("demo/kill/<str:target>", views.kill, name="kill"),
        path("demo/runs/<str:run>", views.run, name="run"),
    ]
    if settings.FAIRBOOK_ENV == "demo"
    else []
)
