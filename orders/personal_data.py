"""The personal data this app holds, for the privacy page and the jobs that follow it."""

from functools import partial
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Upper
from django.utils import timezone

from accounts.models import Customer
from accounts.models.address import ADDRESS_FIELDS
from orders import forgotten_purchases, retention
from orders.carrier_directory import list_carriers_in_use
from orders.fulfilment.scans import MESSAGE_RETENTION
from orders.gateways import easypost
from orders.models import (
    CarrierMessage,
    Cart,
    CartLine,
    Invoice,
    Order,
    Payment,
    Refund,
    Shipment,
    StripeEvent,
    StripeRecord,
)
from orders.models.invoice import INVOICE_RETENTION
from orders.models.shipment import BareNumber
from orders.payments import stripe_events
from orders.payments.stripe_events import STRIPE_EVENT_RETENTION
from orders.retention import get_customer_orders
from orders.returns.holdings import make_withdrawal_holdings
from orders.returns.return_holdings import make_return_holdings
from shop.periods import Period
from shop.personal_data import (
    Holding,
    Processor,
    Rows,
    convert_to_json_value,
    export_rows,
    hold_rows,
    register_holding,
    register_processor,
)

CART_RETENTION = Period(days=60)


def retire_carts() -> int:
    """Deletes visitors' carts that nobody came back to, and whose payment is not under way."""
    stale = Cart.objects.filter(customer=None, updated_at__lt=timezone.now() - CART_RETENTION)
    return stale.exclude(orders__status=Order.Status.PENDING).delete()[0]


_ORDER_FIELDS = (
    *("number", "email", *ADDRESS_FIELDS, "company_name", "vat_id", "gift_note", "carrier_may_write"),
    *(
        "status",
        "payment_status",
        "fulfilment_status",
        "hold",
        "currency",
        "subtotal",
        "shipping_total",
        "tax_total",
        "total",
    ),
    *("shipping_name", "carrier", "ships_as_ready", "ships_on", "promised_from_on", "promised_by_on"),
    *("first_promised_by_on", "date_is_essential", "pickup_code", "pickup_ready_at", "has_denied_delivery"),
    *("created_at", "placed_at", "approved_at", "cancelled_at"),
    *("zone_name", "zone_surcharge"),
)
_LINE_FIELDS = (
    *("sku", "title", "options", "quantity", "cancelled_quantity", "unit_price", "tax_rate", "tax_amount"),
    *(
        "is_gift",
        "is_excluded",
        "is_left_out_of_returns",
        "ships_on",
        "promised_from_on",
        "promised_by_on",
        "first_promised_by_on",
    ),
)
_DELAY_FIELDS = (
    *("number", "reason", "words", "was_by_on", "new_by_on", "rule", "deadline_on"),
    *("created_at", "answer", "answered_at", "ended_at"),
)
_PARCEL_FIELDS = (
    *("stage", "carrier", "tracking_number", "is_untracked", "went_to"),
    *(
        "packing_note",
        "packed_by",
        "weight_grams",
        "box_count",
        "ready_at",
        "dispatched_at",
        "delivered_at",
        "estimated_on",
        "denied_at",
    ),
)


_SCAN_FIELDS = ("meaning", "words", "place", "happened_at", "received_at")


def export_orders(customer: Customer) -> Rows:
    found = (
        get_customer_orders(customer)
        .order_by("pk")
        .prefetch_related("lines", "adjustments", "shipments__scans", "events", "ticks", "delay_notices")
    )
    return [_export_order(order) for order in found]


def _export_order(order: Order) -> dict[str, object]:
    return {
        **_export_fields(order, *_ORDER_FIELDS),
        "lines": [_export_fields(line, *_LINE_FIELDS) for line in order.lines.all()],
        "adjustments": [_export_fields(item, "label", "amount") for item in order.adjustments.all()],
        "parcels": [_export_parcel(item) for item in order.shipments.all()],
        "events": [_export_fields(event, "kind", "created_at", "data") for event in order.events.all()],
        "delays": [_export_fields(notice, *_DELAY_FIELDS) for notice in order.delay_notices.all()],
        "ticks": [_export_fields(tick, "purpose", "granted", "changed_at") for tick in order.ticks.all()],
    }


def _export_parcel(parcel: Shipment) -> dict[str, object]:
    scans = [_export_fields(scan, *_SCAN_FIELDS) for scan in parcel.scans.all()]
    return {**_export_fields(parcel, *_PARCEL_FIELDS), "scans": scans}


def _export_fields(row: Any, *names: str) -> dict[str, Any]:
    return {name: convert_to_json_value(getattr(row, name)) for name in names}


def _get_customer_payments(customer: Customer) -> QuerySet[Payment]:
    return Payment.objects.filter(order__in=get_customer_orders(customer)).order_by("pk")


def export_payments(customer: Customer) -> Rows:
    paid = export_rows(
        _get_customer_payments(customer),
        order="order__number",
        through="provider",
        reference="provider_reference",
        payment_intent="payment_intent",
        amount="amount",
        currency="currency",
        status="status",
        begun_at="created_at",
        paid_at="captured_at",
    )
    refunds = Refund.objects.filter(payment__in=_get_customer_payments(customer)).order_by("pk")
    back = export_rows(
        refunds,
        order="payment__order__number",
        refund_reference="provider_reference",
        amount="amount",
        currency="currency",
        reason="reason",
        status="status",
        asked_at="created_at",
        settled_at="settled_at",
    )
    disputes = StripeRecord.objects.filter(payment__in=_get_customer_payments(customer)).order_by("pk")
    said = export_rows(
        disputes.exclude(kind__in=[StripeRecord.Kind.CHARGE, StripeRecord.Kind.REFUND]),
        order="payment__order__number",
        what="kind",
        reference="reference",
        amount="amount",
        currency="currency",
        status="status",
        reason="reason",
        said_at="created_at",
    )
    return [*paid, *back, *said]


def export_invoices(customer: Customer) -> Rows:
    return export_rows(
        Invoice.objects.filter(order__in=get_customer_orders(customer)).order_by("pk"),
        kind="kind",
        number="number",
        order="order__number",
        corrects="corrects",
        issued_at="issued_at",
        supplied_on="supplied_on",
        seller="seller",
        buyer="buyer",
        lines="lines",
        taxes="taxes",
        tax="tax",
        total="total",
        currency="currency",
    )


def export_carts(customer: Customer) -> Rows:
    lines = CartLine.objects.filter(cart__customer=customer)
    return export_rows(
        lines,
        product="variant__product__title",
        quantity="quantity",
        is_gift="is_gift",
        added_at="created_at",
        gift_note="cart__gift_note",
    )


def _get_customer_stripe_events(customer: Customer) -> QuerySet[StripeEvent]:
    """What Stripe told us about their payments and refunds."""
    refunds = Refund.objects.filter(payment__in=_get_customer_payments(customer))
    known = Q(object_id__in=_get_customer_payments(customer).order_by().values("provider_reference"))
    known |= Q(object_id__in=_get_customer_payments(customer).order_by().values("payment_intent"))
    known |= Q(object_id__in=_get_customer_payments(customer).order_by().values("stripe_records__reference"))
    return StripeEvent.objects.filter(known | Q(object_id__in=refunds.order_by().values("provider_reference")))


def _get_customer_carrier_messages(customer: Customer) -> QuerySet[CarrierMessage]:
    """What carriers told us about the parcels of their orders."""
    parcels = Shipment.objects.filter(order__in=get_customer_orders(customer)).exclude(tracking_number="")
    bare = parcels.order_by().annotate(bare=Upper(BareNumber("tracking_number"))).values("bare")
    return CarrierMessage.objects.filter(number__in=bare).order_by("pk")


def register_processors() -> None:
    register_processor(
        Processor(
            "Stripe",
            does="takes the payment, and pays back what is refunded",
            gets="your e-mail address, and the number, the goods and the sums of the order. You type the card number "
            "there alone.",
        )
    )
    register_processor(
        Processor(
            "The carrier you chose",
            does="brings the parcel",
            gets="the name and address on the order, as they stand on the label. Your e-mail address, and a phone "
            "number on the order, only where you chose so for that order.",
            members=list_carriers_in_use,
        )
    )
    if easypost.is_set_up():
        register_processor(
            Processor(
                "EasyPost",
                does="tells us where the carrier last saw the parcel, and makes a label for a return, if you want one",
                gets="the tracking number of the parcel. For a label also the name and address on the order, which the "
                "carrier that takes it gets too; neither your e-mail address nor a phone number.",
            )
        )


def _make_order_holding() -> Holding:
    return Holding(
        key="orders",
        title="Your orders",
        models=(
            *("orders.Order", "orders.OrderLine", "orders.Adjustment", "orders.Allocation"),
            *(
                "orders.Shipment",
                "orders.ShipmentLine",
                "orders.PackingScan",
                "orders.TrackingEvent",
                "orders.OrderEvent",
                "orders.OrderTick",
            ),
            "orders.DelayNotice",
        ),
        retention=f"What you bought, where it went and what we told you: {INVOICE_RETENTION}, as tax law asks.",
        export=export_orders,
        count=lambda customer: get_customer_orders(customer).count(),
        forget={
            key: partial(forgotten_purchases.forget_purchases, purpose_key=key)
            for key in forgotten_purchases.get_purchase_readers()
        },
        wording={key: reader.wording for key, reader in forgotten_purchases.get_purchase_readers().items()},
        held=forgotten_purchases.count_readable_purchases,
        held_dates=forgotten_purchases.held_dates,
        erase=retention.erase_orders,
        kept="Of each paid order: its number, dates, goods, sums and tax, and what the invoice "
        "says of the buyer: name, postal address, company and VAT number. "
        f"Tax law asks for them for {INVOICE_RETENTION}. "
        "E-mail, phone, notes, tracking numbers, what carriers told and all else go.",
        retire=retention.retire_orders,
    )


def _make_message_holding() -> Holding:
    """Registered before the orders: its rows are found by the tracking numbers that an erasure of those takes off."""
    return hold_rows(
        CarrierMessage.objects,
        key="carrier_messages",
        title="What carriers told us about a parcel",
        retention="Tracking number, places, times and the carrier's words, as they came, without names: "
        f"{MESSAGE_RETENTION}.",
        export={"number": "number", "scans": "scans", "received_at": "received_at"},
        find=_get_customer_carrier_messages,
        dated_by="received_at",
        kept_for=MESSAGE_RETENTION,
    )


def _make_invoice_holding() -> Holding:
    return Holding(
        key="invoices",
        title="Your invoices",
        models=("orders.Invoice",),
        retention="Number, date, name, address, company and VAT number, goods, sums and tax, as they were issued: "
        f"{INVOICE_RETENTION}, as tax law asks.",
        export=export_invoices,
        erase=lambda customer: 0,
        kept="Each as it was issued, with name, postal address, company and VAT number on it. Tax law asks for it for "
        f"{INVOICE_RETENTION}.",
        retire=retention.retire_invoices,
    )


def register_holdings() -> None:
    register_processors()
    register_holding(_make_message_holding())
    register_holding(_make_order_holding())
    for holding in (*make_withdrawal_holdings(), *make_return_holdings()):
        register_holding(holding)
    register_holding(_make_invoice_holding())
    register_holding(
        Holding(
            key="payments",
            title="Payments and refunds",
            models=("orders.Payment", "orders.Refund", "orders.RefundLine", "orders.StripeRecord"),
            retention="Amounts, times, Stripe's reference and what your bank said of a payment, never a card number: "
            f"{INVOICE_RETENTION}, as tax law asks.",
            export=export_payments,
            erase=retention.erase_payments,
            kept="Amounts, dates, and the reference under which Stripe knows the payment: "
            f"{INVOICE_RETENTION}, for tax law.",
            retire=retention.retire_payments,
        )
    )
    register_holding(
        Holding(
            key="carts",
            title="What is in a cart",
            models=("orders.Cart", "orders.CartLine"),
            retention=f"A customer's until it is bought or taken out; a visitor's for {CART_RETENTION}.",
            export=export_carts,
            erase=lambda customer: Cart.objects.filter(customer=customer).delete()[0],
            retire=retire_carts,
        )
    )
    register_holding(
        hold_rows(
            StripeEvent.objects,
            key="stripe_events",
            title="What Stripe told us about a payment",
            retention=f"Ids and times, without names: {STRIPE_EVENT_RETENTION}.",
            export={"event": "event_id", "kind": "kind", "about": "object_id", "received_at": "received_at"},
            find=_get_customer_stripe_events,
            retire=stripe_events.retire_stripe_events,
        )
    )
