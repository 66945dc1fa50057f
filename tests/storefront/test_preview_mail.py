"""The switch of a mail, off and on: the sample beside it is the mail that comes after the answer."""

import pytest
from bs4 import BeautifulSoup
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.consent.purposes import Cadence
from accounts.models import Customer
from accounts.preferences import cadence
from notifications import relay, render_batch, rendering, topics
from notifications.audience import fan_out_released_issues, queue_weekly_recommendations
from notifications.models import NewsletterIssue, OutgoingEmail
from orders import events
from orders.models import Order, OrderEvent
from shop.catalog import listing
from shop.storefront import previews
from tests import builders
from tests.layout import drop_layout
from tests.notifications.acts import parcel
from tests.storefront.previewing import SIDES, looking, pat, seen, stopped_clock

__all__ = ["pat", "stopped_clock"]

pytestmark = pytest.mark.django_db

RETURN = {"number": "RMA-XXXX-XXXX-XX", "outcome": "refund", "reason": "It was worn."}  # as the sample's
BY_MAIL = tuple(key for key, seen in previews.PREVIEW_TARGETS.items() if seen.url is None)


def sent_now(customer: Customer, key: str) -> list[OutgoingEmail]:
    """What the mail room queues for the customer when this switch's moment comes."""
    order = customer.orders.latest("pk")
    topic = topics.BY_PURPOSE[key]
    if topic.key == topics.RECOMMENDATIONS.key:
        queue_weekly_recommendations(timezone.now())
    elif topic.key == topics.NEWSLETTER.key:
        fan_out_released_issues()
    else:
        kind = OrderEvent.Kind(topic.event)
        sent = {"shipment": order.shipments.get()} if kind != OrderEvent.Kind.PLACED else {}
        if kind != OrderEvent.Kind.PLACED:
            relay.relay_all_events()
            OutgoingEmail.objects.all().delete()
            facts = RETURN if key == purposes.MAIL_ORDER_RETURN else {}
            events.record_order_event(order, kind, **sent, **facts)
        relay.relay_all_events()
    mails = OutgoingEmail.objects.filter(customer=customer, topic=topic.key)
    return list(mails.exclude(state=OutgoingEmail.State.SKIPPED))


def bare(html: str) -> list[str]:
    """The words of a mail and what they stand in; not its links, which carry times and ids."""
    [body] = BeautifulSoup(drop_layout(html), "html.parser").select("div.paper")
    for each in (body, *body.select("*")):
        for name in ("style", "data-s", "href", "id"):
            del each[name]
    return str(body).split()


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("key", BY_MAIL)
def test_the_sample_mail_is_the_mail_that_comes_after_the_answer(pat, stopped_clock, key, side):
    issue = NewsletterIssue.objects.create(subject="Autumn", body="Apples are in.", released_at=timezone.now())
    parcel(pat.orders.latest("pk"), tracking_number="AB123")
    sample = seen(looking(pat), key, side)
    assert not OutgoingEmail.objects.exists()
    consent.set_consent(pat, key, granted=True, source="test")
    consent.set_consent(pat, key, granted=SIDES[side], source="preferences")
    found = sent_now(pat, key)
    if key != purposes.RECEIPT_OFFER and side == "off":
        assert found == []
        assert "Off: no mail would come." in sample
        return
    [letter] = render_batch.load_email_contexts([found[0].pk])
    assert bare(sample) == bare(rendering.render_email(letter).html)
    if key == purposes.RECEIPT_OFFER:
        assert ("One thing that goes with it" in sample) is SIDES[side]
    if key == purposes.NEWSLETTER:
        assert issue.body in sample


def test_without_an_order_the_mail_tells_of_a_made_up_one_and_the_page_says_so():
    builders.product("Mug")
    listing.refresh_listings()
    client = looking(builders.customer(name="New Here"))
    key = purposes.MAIL_ORDER_DISPATCHED
    assert "so the mail tells of a made-up one" in client.post(f"/account/preferences/{key}/preview/").content.decode()
    assert "Mug" in seen(client, key, "on")
    assert not Order.objects.exists()


def test_news_that_comes_gathered_is_shown_as_a_piece_of_that_mail(pat, stopped_clock):
    key = purposes.MAIL_ORDER_DISPATCHED
    shipment = parcel(pat.orders.latest("pk"), tracking_number="AB123")
    relay.relay_all_events()
    page = f"/account/preferences/{key}/preview/"
    assert "You have such news" not in looking(pat).post(page).content.decode()
    cadence.set_cadence(pat, key, Cadence.WEEKLY)
    assert "You have such news once a week" in looking(pat).post(page).content.decode()
    sample = seen(looking(pat), key, "on")
    consent.set_consent(pat, key, granted=True, source="preferences")
    events.record_order_event(shipment.order, OrderEvent.Kind.DISPATCHED, shipment=shipment)
    relay.relay_all_events()
    [letter] = render_batch.load_email_contexts([OutgoingEmail.objects.get(topic=topics.DIGEST.key).pk])
    assert bare(sample) == bare(rendering.render_email(letter).html)
    assert "AB123" in sample
