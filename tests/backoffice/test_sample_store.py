"""The sample store: whole and comparable on the shelf, loaded once, and leaving everybody's own things alone."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.consent import consent, purposes, verification
from accounts.models import Consent, ConsentRecord, Customer, Interest, MailCadence, PreferenceProfile, User
from accounts.preferences import cadence
from notifications.models import OutgoingEmail
from orders.fulfilment.queue import summarize_queues
from orders.models import (
    Allocation,
    InfoPage,
    Order,
    OrderEvent,
    OrderLine,
    ReturnAuthorization,
    ReturnExclusion,
    Shipment,
    Withdrawal,
)
from orders.stages import IN_TROUBLE, USUAL_ROAD
from shop.catalog.models import Category, Product, ProductImage, StockMovement, StockRecord, Variant
from shop.sample import baskets, content, histories, people

TABLES = (Category, Product, Variant, ProductImage, StockRecord, StockMovement, User, Customer)
TABLES += (ConsentRecord, Order, OrderLine, OrderEvent, Shipment, Allocation)


@pytest.fixture(autouse=True)
def _own_pictures(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.SITE_URL = "http://localhost:8000"


def load() -> None:
    call_command("load_sample_store", verbosity=0)


# -- What is written --------------------------------------------------------------------------------------------------


def test_the_store_is_as_large_as_a_general_store_should_be():
    goods = content.read_products()
    assert len(goods) >= 84
    assert sum(len(product.variants) for product in goods) >= 220
    assert len({product.category for product in goods}) >= 9
    assert len({product.maker for product in goods}) >= 14


def test_every_product_has_words_a_price_a_picture_and_company():
    goods = content.read_products()
    slugs = {product.slug for product in goods}
    for product in goods:
        assert len(product.summary) <= 200, product.slug
        assert len(product.description.split("\n\n")) >= 2, product.slug
        assert all(variant.price > 0 for variant in product.variants), product.slug
        assert product.alt, product.slug
        assert set(product.goes_with) <= slugs - {product.slug}, product.slug


def test_pictures_are_small_and_hold_nothing_that_acts_or_reaches_out():
    for product in content.read_products():
        drawn = product.picture.read_text()
        assert len(drawn) <= 4096, product.slug
        assert 'viewBox="0 0 200 200"' in drawn, product.slug
        assert not any(word in drawn for word in ("<script", "href", "url(http", "<style", "onload")), product.slug


def test_goods_of_one_category_can_be_compared_by_the_same_attributes():
    wanted = {row["slug"]: row.get("attributes") for row in content.read_categories()}
    for product in content.read_products():
        assert list(product.attributes) == wanted[product.category], product.slug


def test_every_sku_is_its_own():
    skus = Counter(variant.sku for product in content.read_products() for variant in product.variants)
    assert max(skus.values()) == 1


def test_socks_come_in_the_sizes_of_the_boots_up_to_13():
    sizes = defaultdict(set)
    for product in content.read_products():
        sizes[product.category] |= {variant.size for variant in product.variants}
    assert sizes["socks"] == sizes["boots"] == {str(size) for size in range(5, 14)}


def test_some_is_gone_with_a_day_some_too_much_some_still_to_come():
    goods = content.read_products()
    variants = [variant for product in goods for variant in product.variants]
    assert all(variant.restock_days for variant in variants if not variant.on_hand)
    assert sum(not variant.on_hand for variant in variants) >= 8
    assert sum(variant.on_hand >= 140 for variant in variants) >= 8
    assert sum(0 < product.released_days <= 8 for product in goods) >= 3
    assert {product.lifespan_months for product in goods if product.category == "socks"} == {9}


def test_the_same_people_buy_the_same_things_each_time():
    assert baskets.draw_baskets(people.list_people()) == baskets.draw_baskets(people.list_people())


@pytest.mark.parametrize("hour", [0, 8, 13, 23])
@pytest.mark.parametrize("day", range(20, 27))  # a whole week
def test_what_happened_to_an_order_follows_in_turn_and_never_lies_ahead(day, hour):
    now = datetime(2026, 11, day, hour, 7, tzinfo=UTC)
    for story in histories.build_order_histories(people.list_people(), now=now):
        times = list(story.steps.values())
        assert times == sorted(times), story
        assert times[-1] <= (story.ended_at or now) <= now, story


def test_a_stage_nobody_gave_an_hour_is_reached_half_way_between_its_neighbours(monkeypatch):
    at = histories.STAGES.index("packed")
    monkeypatch.setattr(histories, "STAGES", (*histories.STAGES[:at], "weighed", *histories.STAGES[at:]))
    stories = histories.build_order_histories(people.list_people(), now=timezone.now())
    assert any(story.stage == "delivered" and "weighed" in story.steps for story in stories)
    assert any(story.stage == "weighed" and story.is_live for story in stories), "its queue would be empty"
    for story in stories:
        reached = [story.steps[stage] for stage in histories.STAGES if stage in story.steps]
        assert reached == sorted(reached)
        if "packed" in story.steps:
            assert story.steps["picked"] <= story.steps["weighed"] <= story.steps["packed"]


def test_a_switch_nobody_said_it_of_is_on_for_some(monkeypatch):
    added = replace(purposes.PURPOSES[0], key="told_of_checks")
    monkeypatch.setattr(purposes, "PURPOSES", (*purposes.PURPOSES, added))
    told = Counter(
        answer[1]
        for number in range(100)
        for answer in people._draw_answers(Customer(pk=number, email=f"{number}@example.com"), now=timezone.now())
        if answer[2]
    )
    assert 5 < told["told_of_checks"] < 40


# -- What is loaded ---------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _pages_of_words(db):
    """A migration's, gone after a flush."""
    for slug in ("delivery", "returns"):
        InfoPage.objects.get_or_create(slug=slug, defaults={"title": slug.title()})


@pytest.mark.django_db
def test_loading_twice_changes_nothing_not_even_what_staff_and_customers_changed_since():
    load()
    Product.objects.filter(slug="scree-boot").update(title="Renamed by staff", is_published=False)
    alice = Customer.objects.get(email=people.ALICE)
    Consent.objects.filter(customer=alice, purpose=purposes.NEWSLETTER).update(granted=False)
    counts = {table: table.objects.count() for table in TABLES}

    load()

    assert {table: table.objects.count() for table in TABLES} == counts
    assert Product.objects.get(slug="scree-boot").title == "Renamed by staff"
    assert not consent.allows(alice, purposes.NEWSLETTER)


def the_books_balance_and_nobody_is_mailed_about_the_past() -> None:
    moved = StockMovement.objects.filter(record=OuterRef("pk")).order_by().values("record")
    standing = Allocation.objects.filter(record=OuterRef("pk"), released_at=None, consumed_at=None).order_by()
    unequal = StockRecord.objects.annotate(
        moved=Coalesce(Subquery(moved.annotate(sum=Sum("quantity")).values("sum")), 0),
        promised=Coalesce(Subquery(standing.values("record").annotate(sum=Sum("quantity")).values("sum")), 0),
    ).exclude(on_hand=F("moved"), allocated=F("promised"))
    assert not unequal.exists()
    assert OrderLine.objects.exclude(order__total__gt=0).count() == 0
    assert not OrderEvent.objects.filter(relayed_at=None).exists()
    assert not OrderEvent.objects.exclude(created_at=F("relayed_at")).exists()
    assert not OrderEvent.objects.filter(created_at__gt=timezone.now()).exists()
    assert not OutgoingEmail.objects.exists()
    chains, _ = verification.verify_ledger()
    assert chains == Customer.objects.filter(consents__isnull=False).distinct().count()


def every_stage_of_the_queue_and_every_ending_is_there_to_be_seen() -> None:
    stages = set(Shipment.objects.values_list("stage", flat=True))
    assert {row.stage for row in USUAL_ROAD} | IN_TROUBLE <= stages
    denied = Order.objects.get(has_denied_delivery=True)
    assert denied.shipments.exclude(denied_at=None).exists()
    in_queues = {each.queue.key: each.count for each in summarize_queues()}
    assert (in_queues["trouble"], in_queues["denied"]) == (len(IN_TROUBLE), 1)
    assert (in_queues["counter"], in_queues["collect"], in_queues["uncollected"]) == (1, 2, 1)
    collected = Shipment.objects.exclude(order__pickup_store=None).values_list("stage", flat=True)
    assert set(collected) == {"picked", "packed", "ready", "collected"}
    assert "collected at Harbour Row" in InfoPage.objects.get(slug="delivery").body
    assert Order.objects.filter(status=Order.Status.CONFIRMED, approved_at=None).count() >= 3
    assert Order.objects.filter(status=Order.Status.CANCELLED).exists()
    assert Order.objects.filter(payment_status=Order.PaymentStatus.REFUNDED, status="completed").exists()
    assert Order.objects.filter(customer=None, ticks__granted=True).exists()
    assert Order.objects.filter(placed_at__lt=timezone.now() - timedelta(days=365)).exists()


def alice_allows_everything_bob_nothing_and_shelves_have_enough_people_behind_them() -> None:
    answers = {
        email: consent.get_granted_purposes(Customer.objects.get(email=email)) for email in (people.ALICE, people.BOB)
    }
    assert answers[people.ALICE] == {purpose.key for purpose in purposes.PURPOSES}
    assert answers[people.BOB] == frozenset()
    told = {
        email: set(Interest.objects.filter(customer__email=email).values_list("kind", flat=True)) for email in answers
    }
    assert told == {people.ALICE: set(Interest.Kind.values), people.BOB: set()}
    assert Order.objects.filter(customer__email=people.ALICE).count() >= 10
    pairs = _pairs_of_five()
    assert len(pairs) >= 40
    for pair in (("deep-pie-tin", "beech-rolling-pin"), ("scree-boot", "rag-wool-socks")):
        assert frozenset(pair) in pairs


def _pairs_of_five() -> set[frozenset[str]]:
    together = defaultdict(set)
    for customer, order, slug in OrderLine.objects.usable_for(purposes.COUNT_IN_ALSO_BOUGHT).values_list(
        "order__customer", "order", "product__slug"
    ):
        together[customer, order].add(slug)
    behind = defaultdict(set)
    for (customer, _), slugs in together.items():
        for one in slugs:
            for other in slugs - {one}:
                behind[frozenset((one, other))].add(customer)
    return {pair for pair, customers in behind.items() if len(customers) >= 5}


def some_want_their_mail_less_often_and_the_two_who_are_looked_at_as_it_comes() -> None:
    told = (people.ALICE, people.BOB)
    assert MailCadence.objects.count() >= 20
    assert PreferenceProfile.objects.filter(weekly_ceiling__isnull=False).count() >= 3
    assert not MailCadence.objects.filter(customer__email__in=told).exists()
    for chosen in MailCadence.objects.all():
        assert chosen.cadence in cadence.get_offered_cadences(chosen.purpose)


@pytest.mark.django_db
def test_the_loaded_store_is_whole(subtests):
    load()
    for check in (
        the_books_balance_and_nobody_is_mailed_about_the_past,
        every_stage_of_the_queue_and_every_ending_is_there_to_be_seen,
        alice_allows_everything_bob_nothing_and_shelves_have_enough_people_behind_them,
        some_want_their_mail_less_often_and_the_two_who_are_looked_at_as_it_comes,
    ):
        with subtests.test(check.__name__):
            check()


@pytest.mark.django_db
def test_logins_get_the_known_password_only_on_this_machine(settings):
    settings.SITE_URL = "https://shop.example"
    load()
    assert not any(user.has_usable_password() for user in User.objects.all())
    User.objects.all().delete()

    settings.SITE_URL = "http://127.0.0.1:8000"
    load()
    assert User.objects.get(email=people.STAFF).check_password(people.PASSWORD)


@pytest.mark.django_db
def test_one_withdrawal_and_one_return_wait_for_staff_and_nobody_is_mailed():
    load()
    withdrawal, made = Withdrawal.objects.get(), ReturnAuthorization.objects.get()
    assert withdrawal.goods_back_at
    assert made.received_at
    assert people.ALICE not in (withdrawal.order.email, made.order.email)
    assert not OrderEvent.objects.filter(relayed_at=None, order__in=[withdrawal.order, made.order]).exists()
    assert "coffee-and-tea" in ReturnExclusion.objects.values_list("category__slug", flat=True)
    assert InfoPage.objects.get(slug="returns").facts == InfoPage.Facts.RETURNS
    load()
    assert (Withdrawal.objects.count(), ReturnAuthorization.objects.count()) == (1, 1)
