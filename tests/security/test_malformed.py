"""Nonsense in every field of every form: a clear answer, no failure of ours, and what is refused changes nothing."""

import random
from collections.abc import Iterator
from urllib.parse import quote_plus, urlencode, urljoin

import pytest
from django.test import Client

from tests.page import Form, Page
from tests.security.visits import Furnished, changed, fingerprint, furnish, paths, write_count

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
NONSENSE = {
    "a null byte": "a%00b",
    "broken unicode": "%ff%fe%80",
    "half a character": "%ed%a0%80",
    "far too much": "x" * 60_000,
    "a number beyond counting": "9" * 60,
    "below zero": "-1",
    "not a number": "NaN",
    "text turned round": quote_plus("\u202e\u0000'\"<script>{{7*7}}"),
    "nothing": "",
}
AWAY = 503  # a payment page asked for while Stripe is out of reach, which it is here
MOST_SINGLES = 1  # fields of one form, in the sample
MOST_KINDS = 1
QUERIES = (
    "page",
    "q",
    "sort",
    "price",
    "maker",
    "size",
    "in_stock",
    "next",
    "queue",
    "o",
    "removed",
    "quantity",
    "session",
)


@pytest.fixture
def furnished() -> Furnished:
    return furnish()


def forms_of(client: Client, furnished: Furnished) -> dict[str, tuple[str, Form]]:
    """Every kind of form once, told by its fields and where its address begins."""
    found: dict[str, tuple[str, Form]] = {}
    for path in paths(furnished):
        answer = client.get(path)
        if answer.status_code != 200 or "html" not in answer.get("Content-Type", ""):
            continue
        for form in Page(answer.text).forms:
            target = urljoin(path, form.action or path)
            names = ",".join(sorted({field.name for field in form.fields}))
            if form.method == "post" and names_of(form) and "logout" not in target:
                found.setdefault(f"{'/'.join(target.split('/')[:4])} {names}", (target, form))
    return found


def names_of(form: Form) -> list[str]:
    return sorted({field.name for field in form.fields if field.name and field.name != "csrfmiddlewaretoken"})


def body(form: Form, *, spoiled: list[str], nonsense: str) -> str:
    pairs = [(f.name, f.value) for f in form.fields if f.name and f.is_on and f.name not in spoiled]
    return "&".join([urlencode(pairs), *(f"{quote_plus(name)}={nonsense}" for name in spoiled)])


def tries(form: Form, luck: random.Random, *, every_field: bool) -> Iterator[tuple[str, list[str]]]:
    """All fields spoiled at once, and single fields: with every kind of nonsense, or in the sample with a few."""
    singles = names_of(form)
    if not every_field:  # Django makes a thousand empty rows before it refuses a formset's own count
        singles = [name for name in singles if not name.endswith("_FORMS")]
    for what in NONSENSE if every_field else ["a null byte", *luck.sample(list(NONSENSE), MOST_KINDS)]:
        yield what, singles
    for name in singles if every_field else luck.sample(singles, min(MOST_SINGLES, len(singles))):
        for what in NONSENSE if every_field else [luck.choice(list(NONSENSE))]:
            yield what, [name]


def spoil_everything(client: Client, furnished: Furnished, *, every_field: bool) -> int:
    luck, broken, count = random.Random(5), [], 0
    for target, form in forms_of(client, furnished).values():
        for what, spoiled in tries(form, luck, every_field=every_field):
            before = write_count()
            content = body(form, spoiled=spoiled, nonsense=NONSENSE[what])
            status = client.post(target, content, content_type=FORM).status_code
            count += 1
            if status >= 500 and status != AWAY:
                broken.append(f"{what} in {spoiled} of {target} gave {status}")
            if "%00" in NONSENSE[what] and (status != 400 or write_count() != before):
                broken.append(f"{what} in {spoiled} of {target} gave {status}, {write_count() - before} rows written")
    assert broken == []
    return count


@pytest.mark.parametrize("who", ["a visitor", "a customer", "staff"])
def test_nonsense_in_any_form_is_answered_and_a_null_byte_refused(furnished, who):
    assert spoil_everything(furnished.everybody[who], furnished, every_field=False) > 20


@pytest.mark.soak
@pytest.mark.parametrize("who", ["a visitor", "a customer", "staff"])
def test_every_nonsense_in_every_field_is_answered_and_a_null_byte_refused(furnished, who):
    assert spoil_everything(furnished.everybody[who], furnished, every_field=True) > 100


@pytest.mark.parametrize("kind_count", [MOST_KINDS, pytest.param(len(NONSENSE), marks=pytest.mark.soak)])
@pytest.mark.parametrize("who", ["a visitor", "staff"])
def test_nonsense_in_the_address_is_answered(furnished, who, kind_count):
    client, before, luck = furnished.everybody[who], fingerprint(), random.Random(6)
    pages = ["/", "/search/", "/category/socks/", "/product/tin-mug/", "/cart/", "/account/orders/", "/accounts/login/"]
    if who == "staff":
        pages = ["/admin/orders/order/", "/admin/catalog/product/"]
    for page in pages:
        for name in QUERIES:
            for what in luck.sample(list(NONSENSE), kind_count):
                status = client.get(f"{page}?{name}={NONSENSE[what][:5000]}").status_code
                assert status < 500, f"{what} in ?{name}= of {page} gave {status}"
    for path in (
        "/product/%00/",
        "/category/%ff/",
        "/orders/%00/",
        "/orders/" + "x" * 3000 + "/",
        "/account/addresses/99999999999999999999999999/",
        "/cart/lines/99999999999999999999999999/quantity/",
        "/mail/unsubscribe/%00%ff/",
        "/consents/confirm/" + "x" * 3000 + "/",
        "/media/%00.png",
        "/media/../../etc/passwd",
        "/media/" + "x" * 3000,
        "/admin/orders/order/99999999999999999999999999/change/",
    ):
        for send in (client.get, client.post):
            status = send(path).status_code
            assert status < 500, f"{path[:80]} gave {status}"
    assert changed(before) == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"\xff\xfe\x00", "application/octet-stream"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"a=1", "multipart/form-data"),
        (b"a=1", "application/x-www-form-urlencoded; charset=nonsense"),
        (b"&".join(b"a%d=1" % number for number in range(3000)), FORM),
    ],
)
def test_a_body_that_is_no_form_is_answered_and_changes_nothing(furnished, content, kind):
    before = fingerprint()
    posting = [path for path in paths(furnished) if not path.startswith(("/admin/", "/accounts/logout"))]
    for client in (furnished.visitor, furnished.customer):
        for path in posting:
            if (
                "removal" in path
                or "cancellation" in path
                or path.startswith("/account/")
                or path.endswith("/invoice/")
            ):
                continue  # an empty form there says something
            status = client.generic("POST", path, content, content_type=kind).status_code
            assert status < 500, f"{path} gave {status}"
    assert [table for table in changed(before) if table not in {"orders_cartline", "orders_cart"}] == []


def test_a_webhook_without_a_true_signature_leaves_no_trace(furnished):
    before = fingerprint()
    for content in (b"", b"{}", b"null", b'{"id": "evt_1", "type": "checkout.session.completed"}', b"\xff" * 2000):
        for signature in ("", "t=1,v1=abc", "t=x", "v1=", "t=99999999999999999999,v1=00", "\u00ff"):
            answer = furnished.visitor.post(
                "/webhooks/stripe/", content, content_type="application/json", headers={"Stripe-Signature": signature}
            )
            assert answer.status_code == 400
    assert changed(before) == []
