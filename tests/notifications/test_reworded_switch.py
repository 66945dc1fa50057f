"""A switch is put in better words: every answer stays what it was, neither lost nor widened."""

from dataclasses import replace

import pytest

from accounts.consent import consent, purposes, verification
from accounts.models import ConsentPayload
from notifications import relay
from tests import builders, cast
from tests.notifications import acts
from tests.notifications.acts import Kind
from tests.notifications.conftest import sink

pytestmark = pytest.mark.django_db
__all__ = ["sink"]
LEAVES = purposes.MAIL_ORDER_DISPATCHED


@pytest.fixture
def reword(monkeypatch):
    """From the words of before to today's."""
    now = purposes.get_purpose(LEAVES)
    before = replace(now, explanation="As it was.", wording_version=now.wording_version - 1)
    monkeypatch.setitem(purposes._by_key, LEAVES, before)
    return lambda: monkeypatch.setitem(purposes._by_key, LEAVES, now)


def left(order) -> None:
    acts.happened(order, Kind.DISPATCHED, shipment=acts.parcel(order, tracking_number="AB123456789GB"), actor="Sam")


def test_a_yes_to_the_words_of_before_still_brings_the_mail_and_a_no_none(sink, reword):
    yes, no = cast.bob(), builders.customer("noah@example.com")
    consent.set_consent(yes, LEAVES, granted=True, source="test")
    consent.set_consent(no, LEAVES, granted=False, source="test")
    answered = ConsentPayload.objects.count()
    reword()
    assert (consent.allows(yes, LEAVES), consent.allows(no, LEAVES)) == (True, False)
    for customer in (yes, no):
        left(builders.paid_order(customer=customer))
    acts.relay_and_deliver()
    assert [each.to for each in sink.received] == [yes.email]
    assert ConsentPayload.objects.count() == answered
    verification.verify_ledger()


def test_what_waits_under_the_words_of_before_still_goes_and_keeps_its_version(sink, reword):
    order = builders.paid_order()
    tick = acts.tick(order, LEAVES)
    left(order)
    relay.relay_all_events()
    reword()
    acts.relay_and_deliver()
    assert [each.topic for each in sink.received] == ["order_dispatched"]
    tick.refresh_from_db()
    assert tick.wording_version == 1


def test_the_words_now_are_true_of_a_parcel_without_a_number():
    said = purposes.get_purpose(LEAVES).wording
    assert "tracking number if it has one" in said
    assert purposes.get_purpose(LEAVES).wording_version == 3
