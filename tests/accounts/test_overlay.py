"""What if I had answered otherwise? Inside the overlay every question answers so; in the books nothing did."""

import pytest
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Consent
from orders.models import OrderLine
from recommendations import history, picks, training
from recommendations.models import ProductView
from recommendations.picks import for_you
from shop.catalog import listing
from tests import builders
from tests.recommendations.test_training import buyers

pytestmark = pytest.mark.django_db

BOUGHT, LOOKED = purposes.RECOMMEND_FROM_PURCHASES, purposes.RECOMMEND_FROM_BROWSING


def usable(person) -> int:
    return OrderLine.objects.usable_for(BOUGHT).filter(order__customer=person).count()


@pytest.mark.parametrize("stood", [None, False, True])
@pytest.mark.parametrize("supposed", [False, True])
def test_every_question_answers_as_supposed_for_that_customer_alone(stood, supposed):
    person, other = builders.customer(), builders.customer(ticks=(BOUGHT,))
    if stood is not None:
        consent.set_consent(person, BOUGHT, granted=True, source="test")
        consent.set_consent(person, BOUGHT, granted=stood, source="test")
    for each in (person, other):
        builders.paid_order(customer=each)
    with consent.overlay_answers(person.pk, {BOUGHT: supposed}):
        assert consent.is_overlay_active()
        assert consent.allows(person, BOUGHT) is supposed
        assert (BOUGHT in consent.get_granted_purposes(person)) is supposed
        assert usable(person) == int(supposed)
        if stood is not None:
            assert consent.find_granted_consents(BOUGHT).filter(customer=person).exists() is supposed
        assert not consent.allows(person, LOOKED)
        assert consent.allows(other, BOUGHT)
        assert consent.get_granted_purposes(other) == {BOUGHT}
        assert usable(other) == 1
    assert not consent.is_overlay_active()
    assert consent.allows(person, BOUGHT) is bool(stood)
    assert usable(person) == int(bool(stood))


def test_the_overlay_ends_even_when_the_page_fails():
    person = builders.customer()
    with pytest.raises(ZeroDivisionError), consent.overlay_answers(person.pk, {BOUGHT: True}):
        _ = 1 / 0
    assert not consent.is_overlay_active()
    with pytest.raises(KeyError), consent.overlay_answers(person.pk, {"no_such_purpose": True}):
        pass


def test_no_answer_is_given_in_a_preview_and_nothing_is_noted():
    person, thing = builders.customer(ticks=(LOOKED,)), builders.product()
    standing = list(Consent.objects.values())
    with consent.overlay_answers(person.pk, {LOOKED: True}):
        history.record_customer_view(person, thing.pk)
        with pytest.raises(RuntimeError):
            consent.set_consent(person, BOUGHT, granted=True, source="test")
        with pytest.raises(RuntimeError):
            consent.set_master(person, on=False, source="test")
    assert not ProductView.objects.exists()
    assert list(Consent.objects.values()) == standing


def test_under_a_master_switch_that_is_off_a_yes_rests_but_for_news_of_orders():
    person, news = builders.customer(ticks=(LOOKED,)), purposes.MAIL_ORDER_PACKED
    assert consent.build_overlay_answers(person, BOUGHT, granted=True) == {BOUGHT: True}
    consent.set_master(person, on=False, source="test")
    assert consent.build_overlay_answers(person, BOUGHT, granted=True) == {BOUGHT: False}
    assert consent.build_overlay_answers(person, news, granted=True) == {news: True}
    all_on = consent.build_overlay_answers(person, purposes.PERSONAL_SHOPPER.key, granted=True)
    assert {key for key, yes in all_on.items() if yes} == {LOOKED}
    assert not any(consent.build_overlay_answers(person, purposes.PERSONAL_SHOPPER.key, granted=False).values())


def test_a_shelf_in_a_preview_is_the_shelf_after_the_answer():
    boots, socks = (builders.variant(builders.product(each, sizes=())) for each in ("Boots", "Socks"))
    listing.refresh_listings([boots.product_id, socks.product_id])
    leaver, *_ = buyers(5, boots, socks)
    training.train_epoch()
    key = purposes.COUNT_IN_ALSO_BOUGHT
    before = picks.pick_frequently_bought_with([boots.product_id])
    assert "Often bought" in before[0].why
    for granted in (True, False, True):
        with consent.overlay_answers(leaver.pk, {key: granted}):
            previewed = picks.pick_frequently_bought_with([boots.product_id])
        consent.set_consent(leaver, key, granted=granted, source="preferences")
        assert previewed == picks.pick_frequently_bought_with([boots.product_id])
    assert previewed != before  # who comes back counts from the next epoch


def test_what_was_looked_at_shows_only_where_it_is_supposed_to(django_assert_num_queries):
    person, thing = builders.customer(), builders.product()
    ProductView.objects.create(customer=person, product=thing, viewed_at=timezone.now())
    with consent.overlay_answers(person.pk, {LOOKED: True}):
        assert [row[0] for row in for_you._find_recent_views(person)] == [thing.pk]
    assert list(for_you._find_recent_views(person)) == []
