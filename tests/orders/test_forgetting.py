"""Forget what I bought so far: the orders stay, one purpose never reads them again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import purposes
from accounts.models import ForgottenPast
from orders import forgetting
from orders.models import Order, OrderLine
from recommendations import picks, training
from recommendations.models import Contribution
from tests import builders
from tests.recommendations.test_training import buyers, pairs

pytestmark = pytest.mark.django_db

BOUGHT = purposes.RECOMMEND_FROM_PURCHASES
COUNTED = purposes.COUNT_IN_ALSO_BOUGHT


def usable(purpose):
    return set(OrderLine.objects.usable_for(purpose).values_list("order__customer", flat=True))


def test_what_was_bought_before_is_never_read_again_and_what_comes_after_is():
    ann, ben = builders.customer(ticks=(BOUGHT,)), builders.customer(ticks=(BOUGHT,))
    for person in (ann, ben):
        builders.paid_order(customer=person)
    assert forgetting.held_counts(ann)[BOUGHT] == 1
    assert forgetting.forget(ann, BOUGHT) == 1
    assert usable(BOUGHT) == {ben.pk}
    assert forgetting.held_counts(ann)[BOUGHT] == 0
    assert Order.objects.filter(customer=ann).count() == 1
    builders.paid_order(customer=ann, placed_at=timezone.now() + timedelta(seconds=1))
    assert usable(BOUGHT) == {ann.pk, ben.pk}
    assert forgetting.held_counts(ann)[BOUGHT] == 1


def test_it_is_forgotten_for_that_purpose_alone():
    ann = builders.customer(ticks=(BOUGHT, COUNTED))
    builders.paid_order(customer=ann)
    forgetting.forget(ann, BOUGHT)
    assert usable(BOUGHT) == set()
    assert usable(COUNTED) == {ann.pk}


def test_forgetting_twice_moves_the_day_and_keeps_one_row():
    ann = builders.customer(ticks=(BOUGHT,))
    forgetting.forget(ann, BOUGHT)
    builders.paid_order(customer=ann)
    forgetting.forget(ann, BOUGHT)
    assert usable(BOUGHT) == set()
    assert ForgottenPast.objects.count() == 1


def test_suggestions_from_it_stop_at_once_and_the_counts_drop_it_at_the_next_withdrawal():
    boots, socks = builders.product("Boots").variants.get(), builders.product("Socks").variants.get()
    ann, *_ = buyers(5, boots, socks, ticks=(BOUGHT, COUNTED))
    training.train()
    builders.paid_order(boots, customer=ann)
    assert picks.for_you(ann, frozenset({BOUGHT})) != [] or picks._bought(ann)
    forgetting.forget(ann, BOUGHT)
    assert picks.for_you(ann, frozenset({BOUGHT})) == []
    assert pairs()
    forgetting.forget(ann, COUNTED)
    training.withdraw()
    assert pairs() == set()
    assert not Contribution.objects.filter(customer=ann).exists()
