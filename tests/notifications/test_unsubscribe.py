"""Leaving a kind of mail: looking changes nothing, one press does, for guests too."""

import pytest
from django.test import Client

from accounts.consent import consent, purposes
from accounts.models import ConsentRecord
from accounts.people import tokens
from accounts.preferences import cadence
from accounts.preferences.cadence import Cadence
from notifications import delivery, links
from orders.models import OrderTick
from tests import builders, cast
from tests.notifications import acts
from tests.notifications.acts import Kind

pytestmark = pytest.mark.django_db
NEWSLETTER = purposes.NEWSLETTER


def url(**ids) -> str:
    return f"/mail/unsubscribe/{tokens.sign_token(links.UNSUBSCRIBE, **ids)}/"


def test_opening_the_link_changes_nothing(client):
    alice = cast.alice()
    page = client.get(url(customer=alice.pk, purpose=NEWSLETTER))
    assert page.status_code == 200
    assert "Turn it off" in page.content.decode()
    assert consent.allows(alice, NEWSLETTER)
    assert client.head(url(customer=alice.pk, purpose=NEWSLETTER)).status_code == 200
    assert consent.allows(alice, NEWSLETTER)


def test_the_button_turns_that_one_off_and_says_so(client):
    alice = cast.alice()
    page = client.post(url(customer=alice.pk, purpose=NEWSLETTER))
    assert "“The newsletter” is off" in page.content.decode()
    assert "/account/preferences/" in page.content.decode()
    assert not consent.allows(alice, NEWSLETTER)
    assert consent.allows(alice, purposes.MAIL_RECOMMENDATIONS)
    assert alice.consents.get(purpose=NEWSLETTER).source == "mail_link"


def test_a_mail_programs_one_click_needs_no_cookie_and_no_form_token():
    alice = cast.alice()
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(
        url(customer=alice.pk, purpose=NEWSLETTER), "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200
    assert not consent.allows(alice, NEWSLETTER)


def test_twice_is_the_same_as_once(client):
    alice = cast.alice()
    for _ in range(2):
        assert client.post(url(customer=alice.pk, purpose=NEWSLETTER)).status_code == 200
    assert alice.consent_payloads.filter(purpose=NEWSLETTER).count() == 2  # the yes, and one no


def test_a_guest_leaves_by_the_link_alone_and_for_that_order_alone(client, sink):
    order, other = builders.paid_order(), builders.paid_order()
    for each in (order, other):
        acts.tick(each, purposes.MAIL_ORDER_APPROVED)
    waiting = acts.queued(order, Kind.APPROVED)
    page = client.post(url(order=order.pk, purpose=purposes.MAIL_ORDER_APPROVED))
    assert order.number in page.content.decode()
    assert not OrderTick.objects.get(order=order).granted
    assert OrderTick.objects.get(order=other).granted
    assert delivery.deliver_due_mail() == 0
    waiting.refresh_from_db()
    assert waiting.skip_reason == "withdrawn"
    assert sink.begun == []


@pytest.mark.parametrize("broken", ["forged", "of another kind", "for an unknown purpose"])
def test_a_link_that_is_no_use_says_so_and_changes_nothing(client, broken):
    alice = cast.alice()
    count = ConsentRecord.objects.count()
    address = {
        "forged": "/mail/unsubscribe/abc:def:ghi/",
        "of another kind": f"/mail/unsubscribe/{tokens.sign_token('order', customer=alice.pk, purpose=NEWSLETTER)}/",
        "for an unknown purpose": url(customer=alice.pk, purpose="nonsense"),
    }[broken]
    for answer in (client.get(address), client.post(address)):
        assert answer.status_code == 404
        assert "Nothing was changed" in answer.content.decode()
    assert consent.allows(alice, NEWSLETTER)
    assert ConsentRecord.objects.count() == count


def test_somebody_who_is_gone_is_answered_politely(client):
    assert client.post(url(customer=987654, purpose=NEWSLETTER)).status_code == 200


def test_the_page_is_kept_by_no_cache(client):
    assert "no-store" in client.get(url(customer=1, purpose=NEWSLETTER)).headers["Cache-Control"]


# -- Less often ----------------------------------------------------------------------------------------------


def test_less_often_is_offered_before_never(client):
    alice = cast.alice()
    page = client.get(url(customer=alice.pk, purpose=purposes.MAIL_ORDER_PICKED)).content.decode()
    places = [page.index(words) for words in ("Once a day", "Once a week", "Once a month", "Turn it off")]
    assert places == sorted(places)
    page = client.get(url(customer=alice.pk, purpose=purposes.RECEIPT_OFFER)).content.decode()
    assert "Less often" not in page


def test_less_often_by_the_link_keeps_the_mail_on(client):
    alice = cast.alice()
    page = client.post(url(customer=alice.pk, purpose=NEWSLETTER), {"less": "monthly"})
    assert "now comes once a month" in page.content.decode()
    assert consent.allows(alice, NEWSLETTER)
    assert cadence.get_cadence(alice, NEWSLETTER) == Cadence.MONTHLY
    client.post(url(customer=alice.pk, purpose=NEWSLETTER))  # off after all
    assert not consent.allows(alice, NEWSLETTER)


@pytest.mark.parametrize("wanted", ["as_it_happens", "daily", "weekly", "never", ""])
def test_the_link_never_leads_to_more(client, wanted):
    alice = cast.alice()
    stage = purposes.MAIL_ORDER_PICKED
    cadence.set_cadence(alice, stage, Cadence.WEEKLY)
    assert client.post(url(customer=alice.pk, purpose=stage), {"less": wanted}).status_code == 400
    assert cadence.get_cadence(alice, stage) == Cadence.WEEKLY
    assert consent.allows(alice, stage)


def test_one_click_is_a_plain_off_whatever_else_is_sent(client):
    alice = cast.alice()
    form = {"List-Unsubscribe": "One-Click", "less": "monthly"}
    assert client.post(url(customer=alice.pk, purpose=NEWSLETTER), form).status_code == 200
    assert not consent.allows(alice, NEWSLETTER)
    assert cadence.get_cadence(alice, NEWSLETTER) == Cadence.AS_IT_HAPPENS


def test_a_tick_on_one_order_has_no_less_often(client):
    order = builders.paid_order()
    acts.tick(order, purposes.MAIL_ORDER_APPROVED)
    address = url(order=order.pk, purpose=purposes.MAIL_ORDER_APPROVED)
    assert "Less often" not in client.get(address).content.decode()
    assert client.post(address, {"less": "weekly"}).status_code == 400
    assert OrderTick.objects.get().granted
