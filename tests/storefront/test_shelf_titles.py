"""A shelf's title is true of each thing on it, on every page that has one, and no page shows a thing twice."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.consent import purposes
from recommendations import training
from recommendations.picks import SHELVES, Audience, Page
from shop.catalog import listing
from tests import builders
from tests.paying import fill
from tests.recommendations.test_training import buyers

pytestmark = pytest.mark.django_db

BY_TITLE = {title: shelf for shelf in SHELVES.values() for title in shelf.titles}
GO_WITH_BOOTS, OTHER_BOOTS = ("Laces", "Polish", "Brush"), ("Rubber boots", "Walking boots", "Riding boots")
ALSO_SELL = ("Jug", "Plate", "Candle")  # the last of them is among the newest
SHELF = re.compile(r"<h2[^>]*>([^<]+)</h2>((?:(?!<h2).)*?)</ul>", re.DOTALL)
CARD = re.compile(r'<li class="[^"]*"[^>]*data-way="([^"]*)".*?<h3 class="title"><a href="([^"]*)"', re.DOTALL)


@pytest.fixture
def boots():
    """Boots that laces, polish and a brush are bought with, and other boots, among things that only sell."""
    builders.shipping_method()
    builders.tax_rate()
    titles = ("Boots", *GO_WITH_BOOTS, *OTHER_BOOTS, *ALSO_SELL)
    builders.product("Shoe horn", category=builders.category("Boots"), maker=None)  # near, and bought with nothing
    made = {
        title: builders.product(title, category=builders.category(title), maker=None).variants.get() for title in titles
    }
    for letter in "abcdefg":  # newer, so that most of what sells is not what is new
        builders.product(f"Ribbon {letter}")
    builders.product("Sledge", released_on=timezone.localdate() + timedelta(days=7))
    made["Boots"].product.goes_with.add(*(made[title].product for title in OTHER_BOOTS))  # staff may be wrong, too
    listing.refresh_listings()
    for title in (*GO_WITH_BOOTS, *OTHER_BOOTS):
        buyers(5, made["Boots"], made[title])
    for title in ALSO_SELL:
        buyers(6, made[title])
    training.compute_similar_products()
    training.train_epoch()
    return made["Boots"]


def read_shelves(html: str) -> dict[str, list[tuple[str, str]]]:
    """Title: the way and address of each card."""
    return {title: cards for title, body in SHELF.findall(html) if (cards := CARD.findall(body))}


def read_page(client, path: str) -> set[str]:
    """The keys of the shelves on a page, each of which holds what its title says, and nothing twice."""
    shelves = read_shelves(client.get(path, follow=True).text)
    for title, cards in shelves.items():
        assert {way for way, _ in cards} <= BY_TITLE[title].ways, (path, title)
    addresses = [address for cards in shelves.values() for _, address in cards]
    assert len(addresses) == len(set(addresses)), path
    return {BY_TITLE[title].key for title in shelves}


@pytest.mark.parametrize("ticks", [None, (), tuple(each.key for each in purposes.PURPOSES)], ids=["guest", "off", "on"])
def test_every_shelf_holds_what_its_title_says(client, boots, ticks):
    if ticks is not None:
        customer = builders.customer(ticks=ticks)
        builders.paid_order(boots, customer=customer)
        client.force_login(customer.user)
    else:
        client.post("/visitors/history/", {purposes.VISITOR_HISTORY.key: "on"})
    fill(client, boots)
    product = boots.product.get_absolute_url()
    client.get(product)
    seen = {page: read_page(client, product if page is Page.PRODUCT else reverse(page)) for page in Page}
    for_all, own = name_places(Audience.EVERYBODY), name_places(Audience.CUSTOMERS if ticks else Audience.VISITORS)
    places = {(page, key) for page, keys in seen.items() for key in keys}
    assert places >= for_all
    assert places - for_all <= own
    assert {page for page, _ in places - for_all} == ({page for page, _ in own} if ticks != () else set())
    assert read_page(client, "/search/?q=nothing+such") == set()


def name_places(audience: Audience) -> set[tuple[Page, str]]:
    """Each page and shelf that are to be seen together by such readers."""
    return {(page, shelf.key) for shelf in SHELVES.values() if shelf.audience is audience for page in shelf.pages}
