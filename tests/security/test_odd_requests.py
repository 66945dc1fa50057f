"""Odd headers and odd addresses, beside the odd forms: every page answers them, and never by falling over.

Headers come as a WSGI server hands them over: one character for each byte.
"""

import hashlib
import hmac
import io
import json
import random
import time
from urllib.parse import quote

import pytest
from django.conf import settings
from django.test import Client

from orders.models import StripeEvent
from shop.handler import ShopHandler
from tests.security.test_malformed import NONSENSE
from tests.security.visits import Furnished, changed, fingerprint, furnish, paths

pytestmark = pytest.mark.django_db

BYTES = "".join(map(chr, range(0x80, 0x100)))
VALUES = {
    "bytes beyond ASCII": BYTES,
    "nothing": "",
    "half an address": "//[evil",
    "half a web address": "http://[evil/",
    "a web address with a port that is none": "https://testserver:99999999/",
    "far too much": "x" * 20_000,
    "a number beyond counting": "9" * 5_000,
    "below zero": "-1",
    "percents": "%ff%00%zz",
    "commas": ",;=,;q=,",
    "quotes": "\"';\\",
    "braces": "{" * 2_000,
}
HEADERS = {
    name: list(VALUES)
    for name in (
        "HTTP_HOST", "HTTP_COOKIE", "HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_ACCEPT_ENCODING",
        "HTTP_X_FORWARDED_FOR",
        "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_RANGE", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_NONE_MATCH",
        "HTTP_SEC_GPC", "HTTP_HX_REQUEST", "HTTP_HX_CURRENT_URL", "HTTP_HX_TARGET", "HTTP_HX_TRIGGER",
        "HTTP_TRIGGERING_EVENT", "HTTP_HX_BOOSTED", "HTTP_REFERER", "HTTP_ORIGIN", "HTTP_USER_AGENT",
        "HTTP_STRIPE_SIGNATURE", "HTTP_AUTHORIZATION", "HTTP_X_CSRFTOKEN", "HTTP_X_REQUESTED_WITH", "REMOTE_ADDR",
        "CONTENT_TYPE",
    )
}  # fmt: skip
COOKIES = ("sessionid", "csrftoken", "messages", "cart", "")
ADDRESSES = {"half an address": "//[evil", "half a web address": "http://[evil", "brackets": "//]x[", "bytes": BYTES}
PAGES = ("/", "/accounts/login/", "/accounts/signup/", "/account/link/", "/account/", "/admin/", "/admin/login/")
AWAY = 503  # a payment page asked for while Stripe is out of reach, which it is here


@pytest.fixture
def furnished() -> Furnished:
    return furnish()


def is_answered(answer) -> bool:
    return answer.status_code < 500 or answer.status_code == AWAY


def odd_headers(path: str, count: int) -> list[tuple[str, str]]:
    """A few of all, others for each path, the same each time."""
    every = [(header, value) for header, values in HEADERS.items() for value in values]
    return random.Random(path).sample(every, count) if count else every


def send_odd_headers(client: Client, furnished: Furnished, *, count: int) -> int:
    """Returns how many requests were sent."""
    sent, before = 0, fingerprint()
    for path in paths(furnished):
        for header, value in odd_headers(path, count):
            extra = {header: VALUES[value], **({"HTTP_HX_REQUEST": "true"} if "_HX_" in header else {})}
            cookies = client.cookies.copy()
            answer = client.get(path, **extra)
            assert is_answered(answer), f"{header} with {value} at {path} gave {answer.status_code}"
            client.cookies = cookies
            sent += 1
    assert changed(before) == []
    return sent


@pytest.mark.parametrize("who", ["a visitor", "a customer", "staff"])
def test_odd_headers_are_answered_at_every_address(furnished, who):
    assert send_odd_headers(furnished.everybody[who], furnished, count=1) > 60


@pytest.mark.soak
@pytest.mark.parametrize("who", ["a visitor", "a customer", "staff"])
def test_every_odd_header_is_answered_at_every_address(furnished, who):
    assert send_odd_headers(furnished.everybody[who], furnished, count=0) > 20_000


@pytest.mark.parametrize("header", HEADERS)
def test_each_odd_header_is_answered_by_pages_and_forms(furnished, header):
    for value in HEADERS[header]:
        for client in furnished.everybody.values():
            cookies = client.cookies.copy()
            for send, path in [
                (client.get, "/"),
                (client.get, "/admin/"),
                (client.get, "/account/preferences/"),
                (client.post, "/cart/lines/"),
                (client.post, "/webhooks/stripe/"),
                (client.post, "/accounts/login/"),
            ]:
                answer = send(path, **{header: VALUES[value]})
                assert is_answered(answer), f"{header} with {value} at {path} gave {answer.status_code}"
                client.cookies = cookies.copy()


@pytest.mark.parametrize("value", VALUES)
def test_cookies_of_garbage_are_answered(furnished, value):
    for name in COOKIES:
        visitor = Client(raise_request_exception=False)
        for path in ("/", "/cart/", "/accounts/login/", "/admin/"):
            answer = visitor.get(path, HTTP_COOKIE=f"{name}={VALUES[value]}")
            assert is_answered(answer), f"{name} with {value} at {path} gave {answer.status_code}"


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"", BYTES, ";", "/",
        f"multipart/form-data; boundary={BYTES}", "multipart/form-data; boundary=" + "x" * 300,
        "application/x-www-form-urlencoded; charset=nonsense", "application/x-www-form-urlencoded; charset=utf-7",
        f"text/plain; charset={BYTES}", "application/json; x",
    ],
)  # fmt: skip
def test_a_broken_content_type_is_a_bad_request_or_an_empty_form(furnished, kind):
    before = fingerprint()
    for path in ("/cart/lines/", "/accounts/login/", "/checkout/", "/admin/orders/order/", "/webhooks/stripe/"):
        for client in furnished.everybody.values():
            answer = client.generic("POST", path, b"--x\r\nvariant=1", content_type=kind)
            assert is_answered(answer), f"{kind[:60]!r} at {path} gave {answer.status_code}"
    assert changed(before) == []


@pytest.mark.parametrize("parameter", ["charset*=UTF-8''%00", "charset*=none''x", "boundary*=none''x"])
@pytest.mark.parametrize("kind", ["multipart/form-data", "application/x-www-form-urlencoded", "text/plain"])
def test_a_content_type_that_cannot_be_decoded_reaches_an_answer(kind, parameter):
    """Django makes the request before anything of the shop could answer for it."""
    environ = {"REQUEST_METHOD": "POST", "wsgi.input": io.BytesIO(b"a=1"), "CONTENT_TYPE": f"{kind}; {parameter}"}
    request = ShopHandler.request_class({**environ, "CONTENT_LENGTH": "3"})
    assert (request.content_type, dict(request.POST)) == ("", {})


@pytest.mark.parametrize("name", ["next", "back", "_changelist_filters", "q", "url", "variant"])
@pytest.mark.parametrize("what", ADDRESSES)
def test_half_an_address_in_the_query_is_answered(furnished, name, what):
    for path in PAGES:
        for client in furnished.everybody.values():
            for send in (client.get, client.post):
                answer = send(f"{path}?{name}={quote(ADDRESSES[what].encode('latin-1'))}")
                assert is_answered(answer), f"{name}={what} at {path} gave {answer.status_code}"
                assert "evil" not in answer.get("Location", "").split("?")[0]


@pytest.mark.parametrize(
    "address", ["//[evil", "http://[evil", "https://]", "//[::1", "\\\\[x", " //[x", "javascript://[x"]
)
@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/account/link/", "/admin/login/"])
def test_a_way_back_that_is_no_address_is_a_bad_request(furnished, path, address):
    for client in (furnished.visitor, furnished.staff):
        assert client.get(f"{path}?next={quote(address)}").status_code == 400
        assert client.post(path, {"next": address}).status_code == 400


@pytest.mark.parametrize("what", [kind for kind in NONSENSE if kind != "far too much"])
def test_nonsense_in_the_name_or_the_value_of_a_query_is_answered_everywhere(furnished, what):
    before = fingerprint()
    for who, client in furnished.everybody.items():
        for path in paths(furnished):
            for query in (f"q={NONSENSE[what]}", f"{NONSENSE[what]}=1"):
                if random.Random(path + query).random() < 0.1:
                    answer = client.get(f"{path}?{query}")
                    assert is_answered(answer), f"{what} at {path} gave {answer.status_code} to {who}"
    assert changed(before) == []


@pytest.mark.parametrize("tail", ["%00", "%ff", "%c0%af", "%ed%a0%80", "%", "%zz", "..%2f..%2f", "%5b", "%E2%80%AE"])
def test_nonsense_in_the_path_is_answered_everywhere(furnished, tail):
    for path in random.Random(tail).sample(paths(furnished), 30):
        for client in (furnished.visitor, furnished.staff):
            answer = client.get(f"{path}{tail}")
            assert is_answered(answer), f"{path}{tail} gave {answer.status_code}"


# -- Signed by Stripe, and absurd --------------------------------------------------------------------------------


def post_signed(client: Client, body: bytes, *, signature: str = ""):
    at = int(time.time())
    secret = settings.STRIPE_WEBHOOK_SECRETS[0].encode()
    made = hmac.new(secret, b"%d." % at + body, hashlib.sha256).hexdigest()
    header = signature or f"t={at},v1={made}"
    return client.generic("POST", "/webhooks/stripe/", body, "application/json", HTTP_STRIPE_SIGNATURE=header)


def event(**changes) -> bytes:
    made = {"id": "evt_1", "type": "charge.updated", "created": 1_700_000_000, "data": {"object": {"id": "ch_1"}}}
    return json.dumps({**made, **changes}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"1", b"null", b'"evt"',
        b"{}", b"NaN", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"9" * 6_000,
        event(id=None), event(id=1), event(id=""),
        event(id="x" * 121), event(id="a\0b"), event(id="\ud800"), event(id={}), event(type=None),
        event(type="x" * 81), event(type=[]), event(type="\0"), event(created="x"), event(created=None),
        event(created=10**30), event(created=-1), event(created=float("inf")), event(created=float("nan")),
        event(created=True), event(created=10**11), event(data=None), event(data=[]), event(data={"object": None}),
        event(data={"object": [1]}), event(data={"object": {"id": {}}}), event(data={"object": {"id": "x" * 121}}),
        event(data={"object": {"id": "\0"}}), event(data={"object": {"id": 5}}), event()[:-1], event() + b"x",
        '{"id": "evt_1"}'.encode("utf-16"), event(id="evt_\u0414"),
    ],
)  # fmt: skip
def test_signed_nonsense_is_a_bad_request_and_leaves_no_trace(body):
    client = Client(raise_request_exception=False)
    assert post_signed(client, body).status_code == 400
    assert not StripeEvent.objects.exists()


def test_an_event_of_something_without_an_id_is_noted():
    """A balance has none; refused, Stripe would send it for days and then stop sending anything."""
    client = Client()
    body = event(type="balance.available", data={"object": {"object": "balance"}})
    assert post_signed(client, body).status_code == 200
    assert StripeEvent.objects.get().object_id == ""


@pytest.mark.parametrize(
    "signature",
    [
        BYTES, f"t={BYTES},v1=a", f"t=1,v1={BYTES}", "t=,v1=", "t=-1,v1=a", "t=NaN,v1=a", "t=" + "9" * 5_000 + ",v1=a",
        "=", ",", "t", "t=1=2,v1=a", "v1=a,t=1",
        "t=1,v1=" + "a" * 100_000, "t=1\0,v1=a", "t=\u0661,v1=a", " ", "t=1,v0=a",
    ],
)  # fmt: skip
def test_an_odd_signature_is_a_bad_request(signature):
    client = Client(raise_request_exception=False)
    assert post_signed(client, event(), signature=signature).status_code == 400
    now = signature.replace("t=1,", f"t={int(time.time())},")
    assert post_signed(client, event(), signature=now).status_code == 400
    assert not StripeEvent.objects.exists()
