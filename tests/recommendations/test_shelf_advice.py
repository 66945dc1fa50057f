"""What stands under “goes well with it” is advice: no sibling of the thing, no namesake, no mere best seller."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Interest
from recommendations import picks, training
from recommendations.beside import Way
from recommendations.engine.names import Kinds, is_same_kind, is_same_thing, read_name
from recommendations.models import ProductSimilarity
from recommendations.picks.purchases import RECENT_PURCHASES
from shop.catalog import listing
from shop.catalog.models import Product
from tests import builders
from tests.recommendations.test_training import PURPOSE, buyers

TOLD, BOUGHT, LOOKED = (
    purposes.RECOMMEND_FROM_TOLD,
    purposes.RECOMMEND_FROM_PURCHASES,
    purposes.RECOMMEND_FROM_BROWSING,
)


# -- Names -----------------------------------------------------------------------------------------------------

SIBLINGS = [
    ("Wool socks, red", "Wool socks, blue"),  # colour
    ("Linen shirt in rust", "Linen shirt in oat"),
    ("Jumbo bag red retrospot", "Jumbo bag strawberry"),  # print
    ("White hanging heart t-light holder", "Red hanging heart t-light holder"),
    ("Half-pint mug", "Pint mug"),  # size
    ("Coffee beans 250 g", "Coffee beans 1 kg"),
    ("Kettle 2000", "Kettle 3000"),  # model
    ("Scree boot", "Navvy boot"),
    ("Regency teacup", "Set of 3 Regency teacups"),  # pack
    ("Pack of 60 pink paisley cake cases", "60 teatime fairy cake cases"),
    ("Marmalade", "Marmalade (twin pack)"),
    ("Seville marmalade", "Seville marmalade, large jar"),
    ("Wall art stop for tea", "Wall art classic puddings"),
]
PAIRS = [
    ("Scree boot", "Drover boot socks"),
    ("Boots", "Boot brush"),
    ("Regency cakestand 3 tier", "Roses regency teacup and saucer"),
    ("Paper bunting retrospot", "Set/20 red retrospot paper napkins"),
    ("Loaf tin", "Tin of marbles"),
    ("Crank coffee grinder", "Stove-top coffee pot"),
    ("Glass bowl", "Wine glass"),
    ("Red", "Blue"),  # titles of colours alone are names
]


@pytest.mark.parametrize(("one", "other"), SIBLINGS)
def test_the_same_sort_of_thing_is_a_sibling_whichever_way_round(one, other):
    assert is_same_kind(read_name(one), read_name(other))
    assert is_same_kind(read_name(other), read_name(one))


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_things_of_two_kinds_are_no_siblings(one, other):
    assert not is_same_kind(read_name(one), read_name(other))
    assert not is_same_kind(read_name(other), read_name(one))


def test_only_colour_size_count_and_material_leave_a_thing_the_same():
    assert is_same_thing(read_name("Wool socks, red, size 9"), read_name("2 pairs of wool socks"))
    assert not is_same_thing(read_name("Scree boot"), read_name("Navvy boot"))


def test_what_is_printed_on_a_thing_is_not_what_it_is():
    """The shop's own titles tell that “bag” names a kind and “spaceboy” does not, wherever they stand."""
    bags = ["Charlotte bag", "Picnic bag", "Storage bag", "Lunch bag spaceboy", "Spaceboy mug", "Spaceboy plate"]
    kinds = Kinds([*bags, "Jumbo bag owls"])
    assert kinds.of(read_name("Lunch bag spaceboy")) == "bag"
    one, other = read_name("Lunch bag spaceboy"), read_name("Picnic bag")
    assert not is_same_kind(one, other)
    assert is_same_kind(one, other, kinds)


@pytest.mark.parametrize("title", ["", " ", "7", "Red", "Set of 3", "&", "ß", "12 / 9", "Ärmel-Weste"])
def test_every_title_has_a_name(title):
    name = read_name(title)
    assert name.head
    assert name.words


# -- Shelves ---------------------------------------------------------------------------------------------------


def thing(title, shelf="Imported", **fields):
    made = builders.product(title, category=builders.category(shelf), maker=fields.pop("maker", None), **fields)
    listing.refresh_listings([made.pk])
    return made.variants.first()


def titles(found):
    return [Product.objects.get(pk=pick.product_id).title for pick in found]


@pytest.fixture
def gift_shop():
    """A built sample of a gift shop: the real file's families, what goes with them, and a best seller in every basket.

    As imported: one category, no makers.
    """
    bag, other_bag, third = thing("Jumbo bag red retrospot"), thing("Jumbo bag strawberry"), thing("Jumbo bag owls")
    stand, cup, green = thing("Regency cakestand"), thing("Regency teacup, pink"), thing("Regency teacup, green")
    heart, tattoo, doily = thing("Hanging heart"), thing("Skull tattoos"), thing("Paper doilies")
    buyers(7, bag, other_bag, third, heart)
    buyers(6, bag, doily, heart)
    buyers(6, stand, cup, green, heart)
    buyers(6, tattoo, heart)
    for number in range(8):
        buyers(5, thing(f"{'abcdefgh'[number] * 3} lamp"), thing(f"{'abcdefgh'[number] * 4} rug"), heart)
    training.train_epoch()
    training.compute_similar_products()
    listing.refresh_listings()
    return {each.product.title: each.product for each in (bag, other_bag, third, stand, cup, green, heart, tattoo)}


@pytest.mark.django_db
def test_goes_well_with_it_holds_neither_siblings_nor_namesakes_nor_best_sellers(gift_shop):
    shelves = {title: titles(picks.pick_frequently_bought_with([product.pk])) for title, product in gift_shop.items()}
    assert shelves["Jumbo bag red retrospot"] == ["Paper doilies"]
    assert shelves["Jumbo bag strawberry"] == []  # only bags, and what everybody buys: no shelf
    assert len(shelves["Regency cakestand"]) == 1  # one teacup, not two of a colour each
    assert shelves["Regency cakestand"][0].startswith("Regency teacup")
    assert shelves["Regency teacup, pink"] == ["Regency cakestand"]
    assert shelves["Skull tattoos"] == []
    assert all("Hanging heart" not in shelf for shelf in shelves.values())


@pytest.mark.django_db
def test_siblings_stand_on_a_shelf_of_their_own_in_numbers_or_not_at_all(gift_shop):
    bag = gift_shop["Jumbo bag red retrospot"]
    advice, siblings = picks.beside_product(bag.pk)
    assert titles(advice) == ["Paper doilies"]
    assert siblings == []  # two are no choice
    thing("Jumbo bag apples")
    training.compute_similar_products()
    advice, siblings = picks.beside_product(bag.pk)
    assert sorted(titles(siblings)) == ["Jumbo bag apples", "Jumbo bag owls", "Jumbo bag strawberry"]
    assert {pick.way for pick in siblings} == {Way.ALIKE}
    assert {pick.why for pick in siblings} == {"Like Jumbo bag red retrospot"}


@pytest.mark.django_db
@pytest.mark.parametrize("ways", ["title", "sizes"])
def test_what_is_retitled_or_moved_after_the_epoch_is_no_pair_any_more(ways):
    boots, clogs = thing("Boots", "Feet", sizes=("9", "10")), thing("Clogs", "Garden", sizes=("9", "10"))
    buyers(5, boots, clogs)
    training.train_epoch()
    assert titles(picks.pick_frequently_bought_with([boots.product_id])) == ["Clogs"]
    changes = {"title": {"title": "Garden boots"}, "sizes": {"category": builders.category("Feet")}}[ways]
    Product.objects.filter(pk=clogs.product_id).update(**changes)
    assert picks.pick_frequently_bought_with([boots.product_id]) == []


@pytest.mark.django_db
def test_staffs_own_choice_is_advice_but_never_the_same_thing_again():
    boots, brush, other = thing("Boots"), thing("Boot brush"), thing("Boots, black")
    boots.product.goes_with.add(brush.product, other.product)
    listing.refresh_listings()
    assert titles(picks.pick_frequently_bought_with([boots.product_id])) == ["Boot brush"]


@pytest.mark.django_db
def test_at_most_two_of_one_maker_stand_in_four():
    boots, maker = thing("Boots"), builders.maker("Foxglove")
    own = [thing(title, maker=maker) for title in ("Cream", "Brush", "Laces", "Horn")]
    others = [thing(title, maker=builders.maker(title)) for title in ("Socks", "Insoles")]
    buyers(9, boots, *own)
    buyers(5, boots, *others)
    training.train_epoch()
    found = [
        Product.objects.get(pk=pick.product_id)
        for pick in picks.pick_frequently_bought_with([boots.product_id], limit=4)
    ]
    assert len(found) == 4
    assert [each.maker for each in found].count(maker) == 2


@pytest.mark.django_db
def test_a_cart_is_offered_no_sibling_of_anything_in_it():
    boots, socks, grey = thing("Boots"), thing("Wool socks, red"), thing("Wool socks, grey")
    buyers(6, boots, grey)
    training.train_epoch()
    assert titles(picks.pick_frequently_bought_with([boots.product_id])) == ["Wool socks, grey"]
    assert picks.pick_frequently_bought_with([boots.product_id, socks.product_id]) == []
    assert picks.pick_receipt_offer(builders.paid_order(boots, socks)) is None
    assert picks.pick_receipt_offer(builders.paid_order(boots)) is not None


@pytest.mark.django_db
def test_a_receipt_offers_nothing_rather_than_what_is_only_near():
    boots = thing("Boots", "Footwear")
    thing("Clogs", "Footwear")
    buyers(6, boots)
    training.train_epoch()
    training.compute_similar_products()
    assert picks.pick_receipt_offer(builders.paid_order(boots)) is None


@pytest.mark.django_db
def test_who_withdraws_takes_the_best_sellers_verdict_along():
    """What is advice is told from the same lines as the pair: recomputed when one of them goes."""
    boots, socks = thing("Boots"), thing("Socks")
    leaver, *_ = buyers(6, boots, socks)
    training.train_epoch()
    consent.set_consent(leaver, PURPOSE, granted=False, source="test")
    training.rebuild_without_withdrawn()
    assert set(ProductSimilarity.objects.values_list("support", "goes_well")) == {(5, True)}


# -- What somebody has already ---------------------------------------------------------------------------------


def told_of(customer, shelf):
    Interest.objects.create(customer=customer, kind=Interest.Kind.CATEGORY, category=builders.category(shelf))


@pytest.mark.django_db
def test_for_you_leaves_out_what_was_bought_only_where_purchases_may_be_used():
    """The switch decides: without it, what somebody bought must not show in what they are not offered."""
    shoe, clog = thing("Oxford shoe", "Footwear", price="108.00"), thing("Clog", "Footwear")
    alice = builders.customer(ticks=(TOLD, BOUGHT))
    told_of(alice, "Footwear")
    builders.paid_order(shoe, customer=alice)
    every = frozenset({TOLD, BOUGHT})
    assert titles(picks.pick_for_customer(alice, every)) == ["Clog"]
    for granted in (frozenset({TOLD}), every):  # the second: a page that read the answers too early
        consent.set_consent(alice, BOUGHT, granted=False, source="test")
        assert sorted(titles(picks.pick_for_customer(alice, granted))) == ["Clog", "Oxford shoe"]
        bob = builders.customer(ticks=(TOLD,))
        told_of(bob, "Footwear")
        assert titles(picks.pick_for_customer(bob, granted)) == titles(picks.pick_for_customer(alice, granted))
    assert clog.product_id in {pick.product_id for pick in picks.pick_for_customer(alice, every)}


@pytest.mark.django_db
def test_for_you_leaves_out_the_owned_thing_in_another_colour_size_or_pack():
    owned = thing("Wool socks, red", "Hosiery")
    for title in ("Wool socks, blue", "Wool socks (twin pack)", "3 pairs of wool socks", "Garters"):
        thing(title, "Hosiery")
    alice = builders.customer(ticks=(TOLD, BOUGHT))
    told_of(alice, "Hosiery")
    builders.paid_order(owned, customer=alice)
    assert titles(picks.pick_for_customer(alice, frozenset({TOLD, BOUGHT}))) == ["Garters"]


@pytest.mark.django_db
def test_however_long_ago_it_was_bought_it_is_not_offered_again():
    shoe, jam = thing("Oxford shoe", "Footwear"), thing("Jam", "Pantry")
    alice = builders.customer(ticks=(TOLD, BOUGHT))
    told_of(alice, "Footwear")
    long_ago = timezone.now() - timedelta(days=900)
    builders.paid_order(shoe, customer=alice, placed_at=long_ago)
    for number in range(RECENT_PURCHASES + 2):
        builders.paid_order(thing(f"{'abcdefghij'[number % 10] * (number + 3)}", "Sundries"), jam, customer=alice)
    assert shoe.product_id not in {
        pick.product_id for pick in picks.pick_for_customer(alice, frozenset({TOLD, BOUGHT}))
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("lifespan_months", "bought_days_ago", "is_offered"), [(1, 40, True), (1, 9, False), (None, 900, False)]
)
def test_what_is_used_up_by_now_may_be_offered_again(lifespan_months, bought_days_ago, is_offered):
    coffee = thing("Slow Sunday", "Coffee", lifespan_months=lifespan_months)
    alice = builders.customer(ticks=(TOLD, BOUGHT))
    told_of(alice, "Coffee")
    builders.paid_order(coffee, customer=alice, placed_at=timezone.now() - timedelta(days=bought_days_ago))
    assert bool(picks.pick_for_customer(alice, frozenset({TOLD, BOUGHT}))) is is_offered


@pytest.mark.django_db
def test_a_gift_is_not_owned():
    shoe = thing("Oxford shoe", "Footwear")
    alice = builders.customer(ticks=(TOLD, BOUGHT))
    told_of(alice, "Footwear")
    builders.paid_order(shoe, customer=alice, is_gift=True)
    assert titles(picks.pick_for_customer(alice, frozenset({TOLD, BOUGHT}))) == ["Oxford shoe"]


@pytest.mark.django_db
def test_the_letter_leaves_out_what_was_bought_as_the_pages_do():
    shoe, clog = thing("Oxford shoe", "Footwear"), thing("Clog", "Garden")
    buyers(5, shoe, clog)
    training.train_epoch()
    alice = builders.customer(ticks=(BOUGHT, purposes.MAIL_RECOMMENDATIONS))
    builders.paid_order(shoe, customer=alice)
    every = frozenset({BOUGHT, purposes.MAIL_RECOMMENDATIONS})
    assert "Oxford shoe" not in titles(picks.pick_for_mail(alice, every))
    consent.set_consent(alice, BOUGHT, granted=False, source="test")
    assert "Oxford shoe" in titles(picks.pick_for_mail(alice, every - {BOUGHT}))
