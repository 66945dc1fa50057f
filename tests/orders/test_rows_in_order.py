"""What belongs to an order is listed as it came into being, on pages, papers and in mails, whatever was written since.

PostgreSQL promises no order of its own: a row that is written again usually moves behind the others.
"""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import F, ForeignKey, Model, UniqueConstraint, prefetch_related_objects
from django.utils import timezone

from accounts.consent import purposes
from orders import line_cancellation
from orders.fulfilment import transitions
from orders.models import (
    Adjustment,
    Allocation,
    Order,
    OrderTick,
    Payment,
    Refund,
    RefundLine,
    ShipmentLine,
    WithdrawalLine,
)
from orders.timeline import build_timelines
from tests import builders
from tests.backoffice.conftest import staff
from tests.backoffice.steps import take

__all__ = ["staff"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rows_are_read_as_they_lie(db: None) -> None:
    """As small tables are. By index they would mostly come as they were written first, and no test would fail."""
    with connection.cursor() as cursor:
        for way in ("indexscan", "indexonlyscan", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")


def list_owners() -> Iterator[tuple[type[Model], ForeignKey]]:
    """Each model of orders with each field by which another of them has its rows: `Payment` and its `order`."""
    for model in apps.get_app_config("orders").get_models():
        for field in model._meta.concrete_fields:
            is_ours = isinstance(field, ForeignKey) and field.related_model._meta.app_label == "orders"
            if is_ours and not field.unique and not field.remote_field.hidden:
                yield model, field


def is_ordered(model: type[Model], owner: ForeignKey) -> bool:
    """Of two rows of one owner it always says which is first."""
    names = {str(name).lstrip("-") for name in model._meta.ordering or ()}
    unique = [set(each.fields) for each in model._meta.constraints if isinstance(each, UniqueConstraint)]
    return bool(names & {"id", "pk"}) or any(fields <= names | {owner.name} for fields in unique if names)


def test_whatever_belongs_to_an_order_has_an_order_of_its_own():
    found = list(list_owners())
    assert len(found) > 15
    assert [f"{model.__name__}, read by {owner.name}" for model, owner in found if not is_ordered(model, owner)] == []


def make_family() -> list[Model]:
    """The owners: each has two rows at least of each kind below."""
    order = builders.placed_order(builders.variant(), builders.variant())
    parcel = transitions.approve_order(order.pk, actor="Sam").shipments.get()
    lines = list(order.lines.all())
    payment = order.payments.get()
    Payment.objects.create(order=order, amount=1, currency=order.currency, status=Payment.Status.EXPIRED)
    for label, purpose in (("Postage", purposes.MAIL_ORDER_PICKED), ("Discount", purposes.MAIL_ORDER_PACKED)):
        Adjustment.objects.create(order=order, label=label, amount=1)
        OrderTick.objects.create(order=order, purpose=purpose, granted=True, wording_version=1)
    refund, _ = [Refund.objects.create(payment=payment, amount=1, currency=order.currency) for _ in "12"]
    withdrawal = order.withdrawals.create(
        contents="All of it", piece_count=2, declared_at=timezone.now(), has_left=False, due_on=timezone.localdate()
    )
    for line in lines:
        RefundLine.objects.create(refund=refund, order_line=line, quantity=1, amount=1)
        WithdrawalLine.objects.create(withdrawal=withdrawal, order_line=line, quantity=1)
    Allocation.objects.create(order_line=lines[0], record=lines[1].allocations.get().record, quantity=1)
    return [order, parcel, payment, refund, withdrawal, lines[0]]


FAMILY = {
    Order: ("lines", "payments", "adjustments", "ticks"),
    ShipmentLine.shipment.field.related_model: ("lines",),
    Payment: ("refunds",),
    Refund: ("lines",),
    WithdrawalLine.withdrawal.field.related_model: ("lines",),
    Allocation.order_line.field.related_model: ("allocations",),
}


def test_rows_that_are_written_again_keep_their_place():
    for owner in make_family():
        for name in FAMILY[type(owner)]:
            rows = getattr(owner, name)
            keys = sorted(rows.values_list("pk", flat=True))
            assert len(keys) > 1, name
            model, field = rows.model, rows.field
            model.objects.filter(pk=keys[0]).update(**{field.name: F(field.attname)})
            assert [row.pk for row in rows.all()] == keys, (type(owner), name)
            prefetch_related_objects([owner], name)
            assert [row.pk for row in rows.all()] == keys, (type(owner), name)


def test_after_a_piece_of_the_first_thing_is_cancelled_slip_and_story_still_begin_with_it(staff):
    first, second = builders.product("Anchor mug"), builders.product("Zinc pail")
    order = builders.placed_order(first.variants.get(), second.variants.get(), quantity=2)
    transitions.approve_order(order.pk, actor="Sam")
    line = order.lines.get(title="Anchor mug")
    line_cancellation.cancel_lines(order.pk, {line.pk: 1}, actor="Sam", seen_cancelled=0)
    slip = take(staff, "packing_slips", order).text
    assert -1 < slip.index("Anchor mug") < slip.index("Zinc pail")
    [story] = build_timelines(Order.objects.get(pk=order.pk))
    assert [each.order_line.title for each in story.parcel.lines.all()] == ["Anchor mug", "Zinc pail"]
