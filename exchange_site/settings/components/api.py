"""Django REST framework and its schema. (The trading API is plain async views.)"""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.common.parsers.JsonParser"],
    "EXCEPTION_HANDLER": "apps.common.api.refuse",
    # How often one may ask is counted by apps.orders.middleware, not by throttles of the framework.
    "NUM_PROXIES": 0,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "COERCE_DECIMAL_TO_STRING": True,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Fairbook",
    "DESCRIPTION": "Every decision of this exchange can be checked by the people it is about.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": True,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    # Two answers have a field `state`, each with words of its own.
    "ENUM_NAME_OVERRIDES": {
        "TransferState": "apps.orders.transfers.STATES",
        "ApplicationState": "apps.kyc.models.State",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.orders.schema.add_hot_doors",
    ],
}
