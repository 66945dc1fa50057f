"""Orders that are collected in the sample store: one at each point between the shelf and its buyer's hands.

Entered as staff enter them and moved by the shop's own steps, then dated back. Nobody is mailed about them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import Customer
from orders import pickup, staff_orders, stages
from orders.fulfilment import transitions
from orders.models import Order, OrderEvent, Shipment
from orders.shop_terms import PickupPlace, Terms, load_terms
from orders.staff_orders import Channel, DraftLine, DraftRefused, OrderDraft
from shop.catalog.models import Variant
from shop.sample import content

ACTOR = "Ines"
Stage = Shipment.Stage


@transaction.atomic
def write_sample_pickups(*, now: datetime) -> int:
    """Returns how many are new; none where nothing can be collected. To be called once, when the orders are new."""
    terms = load_terms()
    if not terms.pickups:
        return 0
    rows = content.read_toml("orders")["collected"]
    return sum(_write_pickup(at, row, terms, terms.pickups[0], now) for at, row in enumerate(rows, start=1))


def _write_pickup(at: int, row: Mapping[str, Any], terms: Terms, place: PickupPlace, now: datetime) -> bool:
    customer = Customer.objects.filter(email=row["who"]).first()
    draft = OrderDraft(
        lines=[DraftLine(Variant.objects.filter(product__slug=slug).earliest("position"), 1) for slug in row["lines"]],
        address={"full_name": customer.name if customer else ACTOR, "country": place.country},
        method=place.method,
        channel=Channel.SHOP,
        email=row["who"],
        paid_how="Card, in the shop",
    )
    try:
        order = staff_orders.create_draft_order(draft, actor=ACTOR, terms=terms)
    except DraftRefused:  # what staff have sold since lies there no more
        return False
    order.customer, order.external_reference = customer, f"sample-collected-{at}"
    order.save(update_fields=["customer", "external_reference"])
    _bring_to_stage(order, Stage(row["stage"]))
    began_at = now - timedelta(hours=row["hours_ago"])
    _date_back(order, began_at, timedelta(hours=row["hours_taken"]))
    _set_promise(order, terms, place, began_at)
    return True


def _bring_to_stage(order: Order, stage: Shipment.Stage) -> None:
    parcel = transitions.approve_order(order.pk, actor=ACTOR).shipments.get().pk
    for row in stages.PICKUP_ROAD[1:]:
        if Shipment.objects.get(pk=parcel).stage == stage:
            return
        said = {"code": order.pickup_code} if row.stage == Stage.COLLECTED else {}
        getattr(transitions, row.verb)(parcel, actor=ACTOR, **said)


def _date_back(order: Order, began_at: datetime, taken: timedelta) -> None:
    """What just happened, spread over the time that it took; the mails of it were dealt with then."""
    happened = list(order.events.order_by("pk"))
    for place, event in enumerate(happened):
        event.created_at = event.relayed_at = began_at + taken * place / max(len(happened) - 1, 1)
    OrderEvent.objects.bulk_update(happened, ["created_at", "relayed_at"])
    at = {event.kind: event.created_at for event in happened}
    Order.objects.filter(pk=order.pk).update(
        created_at=began_at, placed_at=began_at, approved_at=at.get(OrderEvent.Kind.APPROVED)
    )
    for row in stages.AT_THE_COUNTER:
        if row.event in at:
            order.shipments.update(**{row.date_field: at[row.event]})


def _set_promise(order: Order, terms: Terms, place: PickupPlace, began_at: datetime) -> None:
    promised = pickup.compute_pickup_promise(place, terms.get_calendar(place.country), began_at)
    if promised is not None:
        Order.objects.filter(pk=order.pk).update(
            pickup_ready_at=promised.ready_at,
            ships_on=promised.ships_on,
            promised_from_on=promised.from_on,
            promised_by_on=promised.by_on,
        )
