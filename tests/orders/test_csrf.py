"""A log-in's changing requests carry a token, and a body that is no form is no fault of ours."""

import pytest
from django.test import RequestFactory

from apps.orders import callers
from apps.orders.dialect.refusals import DialectRefusal

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "kind", [FORM, f"{FORM}; charset=latin-1", "multipart/form-data", "text/plain; charset=nope"]
)
def test_a_request_without_a_token_is_refused_whatever_its_body_claims_to_be(kind):
    request = RequestFactory().generic("POST", "/api/v3/order", b"a=1", kind)
    request._dont_enforce_csrf_checks = False
    request.COOKIES["csrftoken"] = "a" * 32
    assert request.body

    with pytest.raises(DialectRefusal) as refused:
        callers.check_csrf(request)

    assert refused.value.http_status == 403
