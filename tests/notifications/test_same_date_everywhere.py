"""One variant, one place, one moment: every page and mail that names the day it arrives names the same one."""

import json
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from orders.fulfilment import transitions
from orders.models import ShopSettings
from orders.papers.packing_slips import render_packing_slips
from orders.promise import format_date_range
from shop.catalog.models import Product, StockRecord
from tests import builders
from tests.backoffice.steps import LIST
from tests.notifications.acts import relay_and_deliver
from tests.page import read_words
from tests.papers.reading import read_pdf
from tests.paying import check_out, fill, pay, standin, standin_process

__all__ = ["standin", "standin_process"]

pytestmark = pytest.mark.django_db


def read(response) -> str:
    return " ".join(read_words(response.text).split())


@pytest.fixture
def mug() -> Product:
    """To come in forty days, so that no cut-off passes and no other day of this page is near."""
    builders.tax_rate()
    builders.shipping_method(days_min=2, days_max=4)
    return builders.product("Tin mug", released_on=timezone.localdate() + timedelta(days=40))


def test_product_card_cart_checkout_order_staff_and_receipt_name_the_same_days(
    client, admin_client, standin, sink, mug
):
    variant = mug.variants.get()
    page = client.get(mug.get_absolute_url())
    said = {"product": read(page)}
    card = read(client.get(mug.category.get_absolute_url()))
    fill(client, variant)
    said["cart"] = read(client.get("/cart/"))
    said["checkout"] = read(client.get("/checkout/"))
    order = pay(client, standin, check_out(client))
    said["order"] = read(client.get(f"/orders/{order.number}/"))
    relay_and_deliver()
    parcel = transitions.approve_order(order.pk, actor="Sam").shipments.get()
    said["slip"] = " ".join(read_pdf(render_packing_slips([parcel], ShopSettings.current())).text.split())
    asked = {"action": "packing_slips", "_selected_action": order.pk}
    said["slip on the screen"] = read(admin_client.post(f"{LIST}?queue=any", asked))
    [receipt] = [mail for mail in sink.received if mail.topic == "receipt"]
    said["receipt"] = " ".join(receipt.text.split())
    days = format_date_range(order.promised_from_on, order.promised_by_on, timezone.localdate())
    assert order.promised_from_on < order.promised_by_on
    assert [where for where, words in said.items() if days not in words] == []
    last = order.promised_by_on
    assert f"with you by {last:%a} {last.day} {last:%b}" in card
    data = json.loads(re.search(r'ld\+json">(.*?)</script>', page.text, re.S)[1])["offers"]["shippingDetails"]
    handling, transit = data["deliveryTime"]["handlingTime"], data["deliveryTime"]["transitTime"]
    assert timezone.localdate() + timedelta(days=handling["maxValue"]) == order.ships_on
    assert order.ships_on + timedelta(days=transit["minValue"]) == order.promised_from_on
    assert order.ships_on + timedelta(days=transit["maxValue"]) == order.promised_by_on
    desk = read(admin_client.get(reverse("admin:orders_order_change", args=[order.pk])))
    assert f"promised by {last:%a} {last.day} {last:%b}" in desk


def test_in_two_parcels_each_slip_names_the_days_of_its_own_parcel_alone(client, admin_client, standin, mug):
    """As cart, order and receipt do: tests/storefront/test_two_parcels.py walks those."""
    here = builders.product("Wool scarf").variants.get()
    assert StockRecord.objects.get(variant=here).on_hand
    fill(client, here, mug.variants.get())
    order = pay(client, standin, check_out(client, parcels="two"))
    parcels = list(transitions.approve_order(order.pk, actor="Sam").shipments.order_by("pk"))
    today = timezone.localdate()
    days = [
        format_date_range(line.promised_from_on, line.promised_by_on, today)
        for line in (parcel.lines.get().order_line for parcel in parcels)
    ]
    assert len(set(days)) == len(parcels) == 2
    for parcel, own, others in zip(parcels, days, reversed(days), strict=True):
        slip = " ".join(read_pdf(render_packing_slips([parcel], ShopSettings.current())).text.split())
        assert f"With you {own}" in slip
        assert others not in slip
