"""What the shop holds about a person: everything is named, exported, and erased."""

import json

import pytest
from django.utils import timezone

from accounts.consent import purposes
from recommendations.models import ProductView
from shop import personal_data
from tests import builders, cast

pytestmark = pytest.mark.django_db


def test_every_holding_exports_rows_that_json_can_hold():
    alice = cast.alice()
    builders.placed_order(customer=alice)
    builders.cart(builders.variant(), customer=alice)
    ProductView.objects.create(customer=alice, product=builders.product(), viewed_at=timezone.now())
    told = {holding.key: holding.export(alice) for holding in personal_data.get_holdings()}
    assert json.loads(json.dumps(told)) == told
    assert {"account", "answers", "orders", "payments", "carts", "views"} <= {key for key, rows in told.items() if rows}


def test_forgetting_for_one_purpose_leaves_other_people_alone():
    alice, bob, thing = cast.alice(), cast.bob(), builders.product()
    for customer in (alice, bob):
        ProductView.objects.create(customer=customer, product=thing, viewed_at=timezone.now())
    assert personal_data.can_forget(purposes.RECOMMEND_FROM_BROWSING)
    assert not personal_data.can_forget(purposes.NEWSLETTER)
    assert personal_data.forget_for_purpose(alice, purposes.RECOMMEND_FROM_BROWSING) == 1
    assert [view.customer for view in ProductView.objects.all()] == [bob]
