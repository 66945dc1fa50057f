"""What customers told us steers first, only with its switch; what they never want to see is on no shelf of theirs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Interest
from accounts.preferences import interests
from notifications import audience
from notifications.models import OutgoingItem
from recommendations import explanations, from_interests, history, picks, training
from recommendations.models import Effect
from shop import personal_data
from shop.catalog import listing
from shop.catalog.models import Product
from tests import builders
from tests.recommendations.test_training import buyers

pytestmark = pytest.mark.django_db

TOLD, BOUGHT, LOOKED = (
    purposes.RECOMMEND_FROM_TOLD,
    purposes.RECOMMEND_FROM_PURCHASES,
    purposes.RECOMMEND_FROM_BROWSING,
)
Kind = Interest.Kind


def thing(title, shelf="Socks", **fields):
    made = builders.product(title, category=builders.category(shelf), **fields)
    listing.refresh_listings([made.pk])
    return made


def tell(customer, kind, **fields):
    return interests.save_interest(customer, Interest(kind=kind, **fields))


def shown(found):
    return [(Product.objects.get(pk=pick.product_id).title, pick.why) for pick in found]


@pytest.fixture
def foxglove():
    return builders.maker("Foxglove")


@pytest.fixture
def alice():
    return builders.customer(ticks=(TOLD, BOUGHT))


@pytest.fixture
def pair():
    """Boots and socks, bought together by five."""
    boots, socks = thing("Boots", "Footwear"), thing("Socks", "Hosiery")
    buyers(5, boots.variants.get(), socks.variants.get())
    training.train_epoch()
    return boots, socks


def test_what_was_told_comes_before_what_was_noticed(alice, foxglove, pair):
    builders.paid_order(pair[0].variants.get(), customer=alice, placed_at=timezone.now() - timedelta(days=2))
    thing("Foxglove jam", "Pantry", maker=foxglove)
    told = tell(alice, Kind.MAKER, maker=foxglove)
    first, second = picks.pick_for_customer(alice, frozenset({TOLD, BOUGHT}))
    assert shown([first]) == [("Foxglove jam", "You told us you like Foxglove")]
    assert (first.purpose, first.because) == (TOLD, picks.Evidence(picks.EvidenceSource.TOLD, told.pk))
    assert second.purpose == BOUGHT


def test_each_kind_of_thing_told_finds_its_own_and_they_take_turns(alice, foxglove):
    footwear = builders.category("Footwear")
    clogs = builders.product("Clogs", category=builders.category("Clogs", parent=footwear))
    oilskin = thing("Waterproof hat", "Hats")
    jam, tea = thing("Jam", "Pantry", maker=foxglove), thing("Tea", "Pantry", maker=foxglove)
    jersey = thing("Jersey", "Knitwear", sizes=("S", "XL"))
    listing.refresh_listings([clogs.pk])
    tell(alice, Kind.SIZE, words="XL")
    tell(alice, Kind.NEED, words="waterproof")
    tell(alice, Kind.CATEGORY, category=footwear)
    tell(alice, Kind.MAKER, maker=foxglove)
    assert shown(picks.pick_for_customer(alice, frozenset({TOLD}))) == [
        (tea.title, "You told us you like Foxglove"),
        (clogs.title, "You told us you like Footwear"),
        (oilskin.title, "You told us you look for “waterproof”"),
        (jam.title, "You told us you like Foxglove"),
        (jersey.title, "Comes in XL, the size you told us"),
    ]


def test_what_comes_in_a_told_size_goes_before_what_does_not(alice, foxglove):
    fits = thing("Wide boots", "Footwear", maker=foxglove, sizes=("9", "13"))
    thing("Narrow boots", "Footwear", maker=foxglove, sizes=("7", "8"))
    tell(alice, Kind.MAKER, maker=foxglove)
    tell(alice, Kind.SIZE, words="13", category=builders.category("Footwear"))
    assert shown(picks.pick_for_customer(alice, frozenset({TOLD})))[0][0] == fits.title


def test_what_is_sold_out_in_a_told_size_is_not_offered_for_it(alice):
    boots = thing("Wide boots", "Footwear", sizes=("9", "13"))
    tell(alice, Kind.SIZE, words="13")
    assert shown(picks.pick_for_customer(alice, frozenset({TOLD}))) == [
        (boots.title, "Comes in 13, the size you told us")
    ]
    boots.variants.get(size="13").stock.update(on_hand=0)
    listing.update_stock_flags()
    assert picks.pick_for_customer(alice, frozenset({TOLD})) == []


def test_what_was_told_steers_nothing_while_its_switch_is_off(foxglove):
    bob = builders.customer()
    thing("Jam", maker=foxglove)
    tell(bob, Kind.MAKER, maker=foxglove)
    assert picks.pick_for_customer(bob, frozenset()) == []
    assert picks.pick_for_customer(bob, frozenset({TOLD})) == []  # a page that read the answers too early
    consent.set_consent(bob, TOLD, granted=True, source="preferences")
    assert len(picks.pick_for_customer(bob, frozenset({TOLD}))) == 1
    consent.set_consent(bob, TOLD, granted=False, source="preferences")
    assert interests.get_interests(bob) == interests.NO_INTERESTS


def test_a_preview_supposes_the_switch_without_writing(foxglove):
    bob = builders.customer()
    thing("Jam", maker=foxglove)
    tell(bob, Kind.MAKER, maker=foxglove)
    with consent.overlay_answers(bob.pk, {TOLD: True}):
        found = picks.pick_for_customer(bob, consent.get_granted_purposes(bob))
        explanations.record_effects(bob, found, place=Effect.Place.HOME)
    assert len(found) == 1
    assert not Effect.objects.exists()


@pytest.mark.parametrize("what", ["product", "maker", "category"])
def test_what_is_never_to_be_shown_is_on_no_shelf_letter_or_offer(pair, what):
    boots, socks = pair
    Product.objects.filter(pk=socks.pk).update(maker=builders.maker("Itchy Wool"))
    socks.refresh_from_db()
    bob = builders.customer(ticks=(BOUGHT, purposes.MAIL_RECOMMENDATIONS))  # this list needs no switch
    order = builders.paid_order(boots.variants.get(), customer=bob)
    every = frozenset({BOUGHT, purposes.MAIL_RECOMMENDATIONS})

    def put_forward():
        told = interests.get_interests(bob)
        found = (
            picks.pick_for_customer(bob, every) + picks.pick_for_mail(bob, every) + [picks.pick_receipt_offer(order)]
        )
        found += picks.pick_frequently_bought_with([boots.pk], hidden=told.hidden) + picks.pick_popular(
            hidden=told.hidden
        )
        return {pick.product_id for pick in found if pick}

    assert socks.pk in put_forward()
    tell(bob, Kind.NEVER, **{what: {"product": socks, "maker": socks.maker, "category": socks.category}[what]})
    assert socks.pk not in put_forward()


def test_a_department_never_to_be_shown_takes_everything_below_it_along(foxglove):
    bob, footwear = builders.customer(ticks=(TOLD,)), builders.category("Footwear")
    clogs = builders.product("Clogs", category=builders.category("Clogs", parent=footwear), maker=foxglove)
    listing.refresh_listings([clogs.pk])
    tell(bob, Kind.MAKER, maker=foxglove)
    assert len(picks.pick_for_customer(bob, frozenset({TOLD}))) == 1
    tell(bob, Kind.NEVER, category=footwear)
    assert picks.pick_for_customer(bob, frozenset({TOLD})) == []


def test_it_costs_one_query_to_know_and_one_to_find(alice, foxglove, django_assert_num_queries):
    thing("Jam", maker=foxglove)
    tell(alice, Kind.MAKER, maker=foxglove)
    with django_assert_num_queries(1):
        told = interests.get_interests(alice)
    with django_assert_num_queries(1):
        picks.pick_for_customer(alice, frozenset({TOLD}), told=told)
    with django_assert_num_queries(0):
        interests.get_interests(None)


# -- What this did for you --------------------------------------------------------------------------------------------


@pytest.fixture
def jam(alice, foxglove):
    thing("Jam", "Pantry", maker=foxglove)
    return tell(alice, Kind.MAKER, maker=foxglove)


def test_what_it_did_is_noted_once_a_day_and_said_in_words(alice, jam):
    found = picks.pick_for_customer(alice, frozenset({TOLD}))
    for _ in range(3):
        explanations.record_effects(alice, found, place=Effect.Place.HOME)
    today = timezone.localdate()
    assert explanations.get_interest_effects(alice) == {
        jam.pk: [f"Put Jam on your home shelf on {today.day} {today:%B}"]
    }
    jam.refresh_from_db()
    assert jam.last_used_at.date() == timezone.now().date()


def test_a_second_look_the_same_day_asks_the_database_nothing(alice, jam, django_assert_num_queries):
    found = picks.pick_for_customer(alice, frozenset({TOLD}))
    with django_assert_num_queries(1):
        explanations.record_effects(alice, found, place=Effect.Place.HOME)
    with django_assert_num_queries(0):
        explanations.record_effects(alice, found, place=Effect.Place.HOME)


def test_nothing_is_noted_once_the_switch_is_off(alice, jam):
    found = picks.pick_for_customer(alice, frozenset({TOLD}))
    consent.set_consent(alice, TOLD, granted=False, source="preferences")
    explanations.record_effects(alice, found, place=Effect.Place.HOME)
    assert not Effect.objects.exists()
    jam.refresh_from_db()
    assert jam.last_used_at is None


def test_a_purchase_and_a_look_say_what_they_did_until_when(alice, pair):
    boots, _ = pair
    consent.set_consent(alice, LOOKED, granted=True, source="preferences")
    order = builders.paid_order(boots.variants.get(), customer=alice)
    clogs = thing("Clogs", "Footwear")
    thing("Galoshes", "Footwear")
    history.record_customer_view(alice, clogs.pk)
    found = picks.pick_for_customer(alice, frozenset({BOUGHT, LOOKED}))
    explanations.record_effects(alice, found, place=Effect.Place.FOR_YOU)
    by_source = {used.because.source: used for used in explanations.explain_observed_data(alice)}
    bought = by_source[picks.EvidenceSource.BOUGHT]
    assert (bought.because.pk, bought.title, bought.expires_at) == (order.lines.get().pk, "Boots", None)
    assert any(words.startswith("Put Socks on your “For you” shelf on") for words in bought.effects)
    if seen := by_source.get(picks.EvidenceSource.SEEN):
        assert seen.expires_at > timezone.now() + timedelta(days=29)


@pytest.mark.django_db(transaction=True)
def test_a_datum_deleted_while_its_shelf_is_shown_leaves_no_effect_and_no_fault(alice, jam):
    found = picks.pick_for_customer(alice, frozenset({TOLD}))
    jam.delete()
    explanations.record_effects(alice, found, place=Effect.Place.HOME)
    assert not Effect.objects.exists()


def test_an_effect_goes_with_its_datum_and_after_thirty_days_by_itself(alice, jam):
    found = picks.pick_for_customer(alice, frozenset({TOLD}))
    explanations.record_effects(alice, found, place=Effect.Place.HOME)
    Effect.objects.update(shown_on=timezone.localdate() - timedelta(days=29))
    assert explanations.retire_effects() == 0
    Effect.objects.update(shown_on=timezone.localdate() - timedelta(days=30))
    assert explanations.get_interest_effects(alice) == {}
    assert explanations.retire_effects() == 1
    explanations.record_effects(alice, found, place=Effect.Place.FOR_YOU)
    jam.delete()
    assert not Effect.objects.exists()


def test_the_letter_says_what_it_was_picked_from(alice, jam):
    consent.set_consent(alice, purposes.MAIL_RECOMMENDATIONS, granted=True, source="preferences")
    for number in range(2):
        thing(f"Chutney {number}", "Pantry", maker=jam.maker)
    audience.queue_weekly_recommendations(timezone.now())
    items = OutgoingItem.objects.filter(product__title="Jam")
    assert [item.why for item in items if item.why] == ["You told us you like Foxglove"]
    assert explanations.get_interest_effects(alice)[jam.pk][0].startswith(
        "Picked Jam for your letter of suggestions on"
    )


# -- Kept until --------------------------------------------------------------------------------------------------------


def test_what_is_over_is_unused_at_once_and_deleted_by_the_nightly_job(alice, jam):
    jam.expires_at = timezone.now() - timedelta(seconds=1)
    jam.save()
    tell(alice, Kind.NEED, words="wool")
    assert [each.words for each in interests.get_interests(alice).told] == ["wool"]
    retired = sum(holding.retire() for holding in personal_data.get_holdings() if holding.retire)
    assert retired == 1
    assert [each.words for each in Interest.objects.all()] == ["wool"]


def test_the_same_told_twice_is_kept_once_and_there_is_an_end(alice, foxglove, monkeypatch):
    tell(alice, Kind.MAKER, maker=foxglove)
    tell(alice, Kind.MAKER, maker=foxglove)
    assert Interest.objects.count() == 1
    monkeypatch.setattr(interests, "MOST_INTERESTS", 1)
    with pytest.raises(interests.TooManyInterests):
        tell(alice, Kind.NEED, words="wool")
    assert Interest.objects.count() == 1


def test_what_was_told_is_exported_forgotten_and_erased(alice, jam):
    tell(alice, Kind.NEVER, category=builders.category("Socks"))
    explanations.record_effects(alice, picks.pick_for_customer(alice, frozenset({TOLD})), place=Effect.Place.HOME)
    holdings = {holding.key: holding for holding in personal_data.get_holdings()}
    assert [row["maker"] for row in holdings["told"].export(alice)] == ["Foxglove", None]
    assert [row["put_forward"] for row in holdings["effects"].export(alice)] == ["Jam"]
    assert personal_data.can_forget(TOLD)
    personal_data.forget_for_purpose(alice, TOLD)
    assert not Effect.objects.exists()
    assert [each.kind for each in Interest.objects.all()] == ["never"]  # which needs no switch
    holdings["told"].erase(alice)
    assert not Interest.objects.exists()


def test_a_size_alone_finds_what_sells_then_what_is_new_then_what_is_left(alice):
    """Goods whose buyers withdrew count as not sold; the shelf is filled from all of it, in order."""
    sold = [thing(f"Sold {n}", sizes=("M",)) for n in range(3)]
    for number in range(3):
        thing(f"Unsold {number}", sizes=("M",))
    thing("New", sizes=("M",), released_on=timezone.localdate() - timedelta(days=3))
    thing("Other size", sizes=("L",))
    for number, each in enumerate(sold):
        who = buyers(5 + number, each.variants.get())
    training.train_epoch()
    for person in who:
        consent.set_consent(person, purposes.COUNT_IN_ALSO_BOUGHT, granted=False, source="test")
    tell(alice, Kind.SIZE, words="M")
    told = interests.get_interests(alice)
    every = ["Sold 1", "Sold 0", "New", "Unsold 2", "Unsold 1", "Unsold 0", "Sold 2"]
    for limit in (1, 2, 4, 10):
        found = from_interests.match_products_to_interests(told, limit=limit)
        assert [each.title for each in found] == every[:limit]
