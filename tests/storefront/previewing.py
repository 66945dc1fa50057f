"""A shop in which each switch changes something for Pat, and what a preview of it shows."""

from datetime import timedelta
from unittest import mock

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import timezone

from accounts.consent import purposes
from accounts.models import Customer, Interest
from accounts.preferences import interests
from orders.models import Order
from recommendations import history, training
from recommendations.picks import FOR_YOU
from shop.catalog import listing
from tests import builders
from tests.recommendations.test_training import buyers

SIDES = {"off": False, "on": True}
TOLD, BOUGHT, LOOKED = FOR_YOU.purposes


@pytest.fixture
def pat() -> Customer:
    """Pat bought boots and socks with four others, likes a maker of hats, saw a mug, kept gloves, and has an order."""
    builders.shipping_method()
    titles = ("Boots", "Socks", "Laces", "Mug", "Tray")
    boots, socks, laces, mug, tray = (
        builders.product(each, category=builders.category(f"{each} and more")).variants.get() for each in titles
    )
    listing.refresh_listings()
    pat, *_ = buyers(5, boots, socks, ticks=(purposes.COUNT_IN_ALSO_BOUGHT, LOOKED))
    Customer.objects.filter(pk=pat.pk).update(name="Pat Reader")
    buyers(5, boots, laces)
    buyers(5, mug, tray)
    history.record_customer_view(pat, mug.product_id)
    hats = builders.product("Hat", maker=builders.maker("Mizzle")).maker
    interests.save_interest(pat, Interest(kind=Interest.Kind.MAKER, maker=hats))
    listing.refresh_listings()
    training.train_epoch()
    gloves = builders.product("Gloves", sizes=("L",)).variants.get()
    arrived = {"fulfilment_status": Order.FulfilmentStatus.DELIVERED, "placed_at": timezone.now() - timedelta(days=9)}
    builders.paid_order(gloves, customer=pat, **arrived)
    builders.placed_order(boots, customer=pat)
    return Customer.objects.get(pk=pat.pk)


def looking(customer: Customer) -> Client:
    client = Client()
    client.force_login(customer.user)
    return client


def seen(client: Client, key: str, side: str) -> str:
    answer = client.post(f"/account/preferences/{key}/preview/{side}/")
    assert answer.status_code == 200
    return answer.content.decode()


def fragments(html: str, keys: tuple[str, ...]) -> list[str]:
    """The parts of a page that the switches change; empty ones stand only in previews."""
    found = BeautifulSoup(html, "html.parser").select("section[data-purpose]")
    return [
        str(each) for each in found if set(each["data-purpose"].split()) & set(keys) and each.decode_contents().strip()
    ]


@pytest.fixture
def stopped_clock():
    """What is told by the minute must not differ because a test is slow."""
    now = timezone.now()
    with mock.patch("django.utils.timezone.now", return_value=now):
        yield now
