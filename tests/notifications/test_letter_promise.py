"""The weekly letter holds what its switch promises, and less than three things are no letter: words beside mail."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.consent import purposes
from accounts.models import Customer, Interest
from accounts.preferences import interests
from notifications import audience, delivery, relay
from notifications.models import OutgoingEmail, OutgoingItem, SkipReason
from notifications.personal_data import export_mail
from recommendations import history, picks, training
from recommendations.models import Effect
from shop.catalog import listing
from shop.catalog.models import Product, StockRecord
from tests import builders, cast
from tests.notifications import acts
from tests.recommendations.test_training import buyers

pytestmark = pytest.mark.django_db
THURSDAY = datetime(2026, 11, 26, 9, tzinfo=UTC)
LETTER = purposes.MAIL_RECOMMENDATIONS
TOLD, BOUGHT, LOOKED = (
    purposes.RECOMMEND_FROM_TOLD,
    purposes.RECOMMEND_FROM_PURCHASES,
    purposes.RECOMMEND_FROM_BROWSING,
)
SWITCHES = [keys for count in range(4) for keys in itertools.combinations((TOLD, BOUGHT, LOOKED), count)]
BY_PURPOSE = {TOLD: "You told us", BOUGHT: "Goes with", LOOKED: "You looked at", LETTER: "Sells well"}


def thing(title: str, **fields) -> Product:
    """Each on a shelf of its own, so that nothing is near anything."""
    return builders.product(title, category=builders.category(f"{title} and more"), **fields)


@pytest.fixture
def shop() -> dict[str, Product]:
    """What sells well, in its order; a pair; a maker's hat; and a dear bag that came today and nobody bought."""
    titles = ("Mug", "Bowl", "Cup", "Jug", "Boots", "Dubbin", "Tray", "Spoon")
    goods = {title: thing(title) for title in titles}
    goods["Hat"] = thing("Hat", maker=builders.maker("Mizzle"))
    goods["Bag"] = thing("Bag", price="164.00", released_on=timezone.localdate())
    for count, title in ((9, "Mug"), (8, "Bowl"), (7, "Cup"), (6, "Jug")):
        buyers(count, goods[title].variants.get())
    for pair in (("Boots", "Dubbin"), ("Tray", "Spoon")):
        buyers(5, *(goods[title].variants.get() for title in pair))
    listing.refresh_listings()
    training.train_epoch()
    return goods


def reader(goods: dict[str, Product], *switches: str, bought: str = "Boots") -> Customer:
    """Somebody who told us of a maker, bought boots and looked at a tray, whatever their switches say now."""
    customer = builders.customer(ticks=(LETTER, LOOKED))
    interests.save_interest(customer, Interest(kind=Interest.Kind.MAKER, maker=goods["Hat"].maker))
    builders.paid_order(goods[bought].variants.get(), customer=customer)
    history.record_customer_view(customer, goods["Tray"].pk)
    acts.say_no(customer, LOOKED)
    for key in switches:
        acts.say_yes(customer, key)
    return customer


def sell_out(product: Product) -> None:
    StockRecord.objects.filter(variant__product=product).update(allocated=10)


def queue_one(customer: Customer) -> OutgoingEmail:
    audience.queue_weekly_recommendations(THURSDAY)
    return OutgoingEmail.objects.get(customer=customer)


@pytest.mark.parametrize("switches", SWITCHES, ids=lambda keys: "+".join(keys) or "none")
def test_the_letter_holds_what_the_words_of_its_switch_say(sink, shop, switches):
    words = purposes.get_purpose(LETTER)
    assert "only what sells well" in words.reads
    assert "fewer than three" in words.explanation
    customer = reader(shop, *switches)
    queue_one(customer)
    assert delivery.deliver_due_mail() == 1
    picked = OutgoingItem.objects.filter(block="pick").order_by("position")
    assert picked.count() >= 3
    assert {item.purpose for item in picked} <= {*switches, LETTER}
    assert {*switches} <= {item.purpose for item in picked}
    assert all(item.why.startswith(BY_PURPOSE[item.purpose]) for item in picked)
    [mail] = sink.received
    assert "Bag" not in mail.words
    assert "New in the shop" not in mail.words
    for part in (mail.text, mail.html):
        assert all(item.product.title in part for item in picked)
    if not switches:
        assert [item.product.title for item in picked] == ["Mug", "Bowl", "Cup", "Jug"]


def test_nothing_is_filled_up_with_what_is_new_and_two_best_sellers_are_no_letter(sink):
    mug, bowl = builders.product("Mug"), builders.product("Bowl")
    for number in range(4):
        builders.product(f"Bag {number}", price="164.00", released_on=timezone.localdate())
    buyers(5, mug.variants.get(), bowl.variants.get())
    listing.refresh_listings()
    training.train_epoch()
    email = queue_one(builders.customer(ticks=(LETTER,)))
    assert (email.state, email.skip_reason) == ("skipped", SkipReason.TOO_FEW)
    assert email.get_skip_reason_display() == "Fewer than three things worth sending"
    assert not email.items.exists()
    assert delivery.deliver_due_mail() == 0
    assert sink.begun == []


def test_what_they_bought_is_not_put_forward_as_selling_well(sink, shop):
    customer = reader(shop, BOUGHT, bought="Mug")
    queue_one(customer)
    titles = set(OutgoingItem.objects.filter(block="pick").values_list("product__title", flat=True))
    assert "Mug" not in titles
    assert titles >= {"Bowl", "Cup", "Jug"}


def test_what_merely_stands_on_the_same_shelf_is_not_said_to_go_with_a_purchase(sink, shop):
    builders.product("Clogs", category=shop["Boots"].category)
    listing.refresh_listings()
    customer = reader(shop, BOUGHT)
    titles = titles_for(customer, BOUGHT, LETTER)
    assert "Dubbin" in titles
    assert "Clogs" not in titles


def titles_for(customer: Customer, *granted: str) -> list[str]:
    found = picks.pick_for_mail(customer, frozenset(granted))
    return [Product.objects.get(pk=pick.product_id).title for pick in found]


def never_show(customer: Customer, product: Product) -> None:
    interests.save_interest(customer, Interest(kind=Interest.Kind.NEVER, product=product))


FALLS = {
    "a never": (never_show, SkipReason.WITHDRAWN),
    "sold out": (lambda customer, product: sell_out(product), SkipReason.NOT_FOR_SALE),
    "unpublished": (
        lambda customer, product: Product.objects.filter(pk=product.pk).update(is_published=False),
        SkipReason.NOT_FOR_SALE,
    ),
    "given up": (
        lambda customer, product: product.variants.update(is_active=False),
        SkipReason.NOT_FOR_SALE,
    ),
}


@pytest.mark.parametrize("how", FALLS)
def test_a_letter_of_which_fewer_than_three_are_left_does_not_leave(sink, shop, how):
    fall, reason = FALLS[how]
    customer = reader(shop)
    email = queue_one(customer)
    for title in ("Mug", "Bowl"):
        fall(customer, shop[title])
    assert delivery.deliver_due_mail() == 0
    email.refresh_from_db()
    assert (email.state, email.skip_reason) == ("skipped", SkipReason.TOO_FEW)
    assert sink.begun == []
    fallen = email.items.filter(is_dropped=True)
    assert {item.product.title: item.drop_reason for item in fallen} == {"Mug": reason, "Bowl": reason}


@pytest.mark.parametrize("how", FALLS)
def test_a_letter_of_which_three_are_left_leaves_with_those(sink, shop, how):
    customer = reader(shop)
    queue_one(customer)
    FALLS[how][0](customer, shop["Mug"])
    assert delivery.deliver_due_mail() == 1
    [mail] = sink.received
    assert "Bowl" in mail.text
    assert "Mug" not in mail.words


def test_a_no_that_takes_the_picks_of_a_switch_stops_the_letter_too(sink, shop, monkeypatch):
    bought = [picks.Pick(shop[title].pk, "Goes with Boots", BOUGHT) for title in ("Mug", "Bowl")]
    monkeypatch.setattr(picks, "pick_for_mail", lambda *_: [*bought, picks.Pick(shop["Cup"].pk, "Sells well just now")])
    customer = reader(shop, BOUGHT)
    email = queue_one(customer)
    acts.say_no(customer, BOUGHT)
    assert delivery.deliver_due_mail() == 0
    email.refresh_from_db()
    assert email.skip_reason == SkipReason.TOO_FEW
    assert sink.begun == []


def test_a_product_that_is_deleted_while_the_letter_waits_counts_for_none(sink, shop, monkeypatch):
    loose = [thing(f"Loose {number}") for number in range(3)]
    monkeypatch.setattr(
        picks, "pick_for_mail", lambda *_: [picks.Pick(each.pk, "Sells well just now") for each in loose]
    )
    email = queue_one(reader(shop))
    StockRecord.objects.filter(variant__product=loose[0]).delete()
    OutgoingItem.objects.filter(product=loose[0]).update(product=None)
    assert delivery.deliver_due_mail() == 0
    email.refresh_from_db()
    assert email.skip_reason == SkipReason.TOO_FEW


def test_what_brought_a_pick_is_said_to_have_done_so_only_where_the_letter_goes(shop):
    sends, has_few = reader(shop, BOUGHT), reader(shop, BOUGHT)
    for title in ("Mug", "Bowl", "Cup", "Jug", "Boots", "Tray", "Spoon"):
        never_show(has_few, shop[title])
    audience.queue_weekly_recommendations(THURSDAY)
    assert OutgoingEmail.objects.get(customer=has_few).skip_reason == SkipReason.TOO_FEW
    assert Effect.objects.filter(customer=sends, place=Effect.Place.LETTER).exists()
    assert not Effect.objects.filter(customer=has_few, place=Effect.Place.LETTER).exists()


def test_the_preview_says_the_same_as_the_outbox(client, shop):
    customer = reader(shop)
    client.force_login(customer.user)
    url = f"/account/preferences/{LETTER}/preview/on/"
    assert "Mug" in client.post(url).text
    for title in ("Mug", "Bowl", "Cup", "Jug", "Boots", "Dubbin"):
        never_show(customer, shop[title])
    assert "Sells well" in picks.pick_for_mail(customer, frozenset({LETTER}))[0].why
    page = client.post(url).text
    assert "no letter would come this week: fewer than three things are worth sending you" in page
    assert queue_one(customer).skip_reason == SkipReason.TOO_FEW


def test_customer_and_staff_read_why_no_letter_came(client, shop):
    customer = builders.customer(ticks=(LETTER,))
    for title in ("Mug", "Bowl", "Cup", "Jug", "Boots", "Dubbin"):
        never_show(customer, shop[title])
    email = queue_one(customer)
    assert "Fewer than three things worth sending" in [each["why_not_sent"] for each in export_mail(customer)]
    client.force_login(customer.user)
    page = client.get("/account/preferences/").text
    assert "No letter came this week: fewer than three things were worth sending you." in page
    OutgoingEmail.objects.filter(pk=email.pk).update(created_at=timezone.now() - timedelta(days=8))
    assert "No letter came this week" not in client.get("/account/preferences/").text
    client.force_login(cast.sam())
    outbox = client.get(reverse("admin:notifications_outgoingemail_changelist"), {"topic": email.topic}).text
    assert "Not sent: fewer than three things worth sending" in outbox


# -- Its relative: the one offer on a receipt ----------------------------------------------------------------


def test_no_offer_stands_on_a_receipt_where_nothing_goes_with_the_order(shop):
    """“One thing that goes with what you bought”: not what merely stands on the same shelf, and sells."""
    clogs = builders.product("Clogs", category=shop["Mug"].category)
    buyers(5, clogs.variants.get())
    listing.refresh_listings()
    training.compute_similar_products()
    training.train_epoch()
    order = builders.placed_order(
        shop["Mug"].variants.get(), customer=builders.customer(ticks=(purposes.RECEIPT_OFFER,))
    )
    assert picks.pick_frequently_bought_with([shop["Mug"].pk]) == []
    assert picks.pick_receipt_offer(order) is None
    relay.relay_all_events()
    assert not OutgoingItem.objects.filter(block="offer", is_dropped=False).exists()


def test_an_offer_sold_out_meanwhile_is_left_out_of_the_receipt(sink, shop):
    customer = builders.customer(ticks=(purposes.RECEIPT_OFFER,))
    builders.placed_order(shop["Boots"].variants.get(), customer=customer)
    relay.relay_all_events()
    item = OutgoingItem.objects.get(block="offer")
    assert item.product == shop["Dubbin"]
    sell_out(shop["Dubbin"])
    assert delivery.deliver_due_mail() == 1
    assert "Dubbin" not in sink.received[0].text
    item.refresh_from_db()
    assert item.drop_reason == SkipReason.NOT_FOR_SALE
