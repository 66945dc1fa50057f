"""Off means off: whatever is flipped when, no page, mail or table uses what has no yes at that moment."""

import pytest
from django.db.models import Q

from accounts.consent import consent, uses
from accounts.consent.uses import PurposeUse, UseKind
from orders.models import order_line as order_line_models
from recommendations import history, sizes, training, visitors
from tests.flips.oracle import BOUGHT, GUESSED, KEYS, LOOKED, TOLD
from tests.flips.world import STAGES, World

pytestmark = pytest.mark.django_db


# What the letter's picks came from: the mail itself has its own switch, and these have their shelves.
IN_THE_LETTER = {PurposeUse(key, UseKind.MAIL, "recommendations") for key in (BOUGHT, LOOKED, TOLD)}


def tour(world: World) -> None:
    """Once through everything that could use something, with the answers as they stand."""
    world.step("train")
    for title in ("Bellows", "Anvil", "Gaiters"):
        world.step("look", title)
    for path in ("/", "/search/?q=anvil", "/account/recommendations/", "/account/"):
        world.step("open", path)
    for _ in STAGES:
        world.orders[1:] = []
        world.step("happen")
    world.step("letter")
    world.step("newsletter")
    for _ in range(8):
        world.step("mail")
    world.step("deliver")
    for path in ("/product/bellows/", "/"):
        world.step("visit", path)
    world.step("forget", TOLD)  # a size told leaves nothing to guess
    world.step("open", "/account/told/")


def witnessed(world: World) -> set[PurposeUse]:
    return set(world.judge.witnessed)


def test_the_judge_sees_every_use_in_the_registry_and_none_beside(sink):
    """Whoever adds a use adds the step that drives it and, but for a shelf of one switch, the judge that sees it."""
    world = World(1, sink)
    world.lot.random = lambda: 0.5  # no browser that says no, and each mail both relayed and delivered
    for key in KEYS:
        world.step("flip", key)
    world.step("visitor_answers")
    tour(world)
    assert witnessed(world) - IN_THE_LETTER == set(uses.get_uses())


def test_without_any_yes_nothing_is_used(sink):
    world = World(2, sink)
    world.lot.random = lambda: 0.5
    tour(world)
    assert witnessed(world) == set()
    assert {mail.topic for mail in sink.received if mail.to == world.customer.email} == {"receipt"}


@pytest.mark.parametrize("seed", range(2))
def test_random_flips_leak_nothing(sink, seed):
    World(seed, sink).walk(120)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_a_hundred_thousand_random_steps_leak_nothing(sink, seed):
    World(seed, sink).walk(500)


# -- Each of these is a leak, and the walk has to find it --------------------------------------------------------


def answers_are_not_asked(patch) -> None:
    patch.setattr(consent, "allows", lambda customer, key: True)
    patch.setattr(consent, "get_supposed_answer", lambda customer, key: True)
    patch.setattr(consent, "build_consent_filter", lambda key, customer="customer": Q())
    patch.setattr(consent, "get_granted_purposes", lambda customer: frozenset(KEYS) if customer else frozenset())


def purchases_are_read_anyhow(patch) -> None:
    asked = order_line_models.OrderLineQuerySet.usable_for
    leaky = dict.fromkeys((BOUGHT, GUESSED), order_line_models.OrderLineQuerySet.steering)
    patch.setattr(
        order_line_models.OrderLineQuerySet,
        "usable_for",
        lambda lines, key: leaky[key](lines) if key in leaky else asked(lines, key),
    )
    patch.setattr(consent, "get_granted_purposes", lambda customer: frozenset(KEYS) if customer else frozenset())


def what_is_forgotten_comes_back(patch) -> None:
    patch.setattr(order_line_models, "build_forgotten_filter", lambda key: Q(pk__in=[]))


def looks_are_noted_anyhow(patch) -> None:
    patch.setattr(history, "_RECORD", history._RECORD.replace("AND granted", ""))


def sizes_are_guessed_from_what_is_under_way(patch) -> None:
    patch.setattr(sizes, "KEPT_IN_A_SIZE", ~Q(variant__size=""))


def nobody_is_withdrawn(patch) -> None:
    patch.setattr(training, "rebuild_without_withdrawn", lambda: None)


def browsers_are_not_heard(patch) -> None:
    patch.setattr(visitors.gpc, "has_gpc_signal", lambda request: False)


def a_visit_joins_without_its_tick(patch) -> None:
    whole = visitors.move_history_to_customer
    patch.setattr(
        visitors,
        "move_history_to_customer",
        lambda request, customer, *, is_wanted: whole(request, customer, is_wanted=True),
    )


# Each with the steps that lead to it, so that it is found soon; the soak walks with all of them.
LEAKS = {
    answers_are_not_asked: ("flip", "open", "look"),
    purchases_are_read_anyhow: ("answer", "open"),
    what_is_forgotten_comes_back: ("answer", "forget", "open"),
    looks_are_noted_anyhow: ("answer", "look", "forget"),
    sizes_are_guessed_from_what_is_under_way: ("flip", "forget", "buy", "open"),
    nobody_is_withdrawn: ("answer", "train", "withdraw"),
    browsers_are_not_heard: ("visitor_answers", "visit"),
    a_visit_joins_without_its_tick: ("visitor_answers", "visit", "visitor_signs_in"),
}


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_the_walk_finds_a_leak(sink, monkeypatch, leak):
    world = World(7, sink)
    if leak is a_visit_joins_without_its_tick:
        consent.set_consent(world.customer, LOOKED, granted=True, source="test")
        world.oracle.answer(LOOKED, granted=True)
    leak(monkeypatch)
    with pytest.raises(AssertionError, match="After"):
        world.walk(400, steps=LEAKS[leak])


@pytest.mark.soak
@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_a_long_walk_of_all_steps_finds_a_leak(sink, monkeypatch, leak):
    world = World(8, sink)
    leak(monkeypatch)
    with pytest.raises(AssertionError, match="After"):
        world.walk(2000)
