"""What of an order stays when its buyer is erased, and for how long anything of it stays at all.

Tax law (in the United Kingdom VAT Act 1994, Schedule 11, paragraph 6, and VAT Regulations 1995, regulation 14; in the
European Union article 226 of Directive 2006/112/EC) asks a shop to keep its invoices: number, date, goods, sums, tax,
and the customer's name, address and, for a business, VAT number. Nothing else is kept.
"""

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject
from django.utils import timezone

from accounts.models import Customer
from accounts.models.address import ADDRESS_FIELDS
from orders.models import (
    Allocation,
    DelayNotice,
    Invoice,
    Order,
    OrderEvent,
    OrderTick,
    Payment,
    Refund,
    ReturnAuthorization,
    Shipment,
    ShipmentLine,
    StripeRecord,
    TrackingEvent,
    Withdrawal,
)
from orders.models.invoice import INVOICE_RETENTION

NOT_ON_AN_INVOICE = {
    "email": "",
    "phone": "",
    "gift_note": "",
    "carrier_may_write": False,
    "cart_fingerprint": "",
    "cart": None,
}
ON_AN_INVOICE = {
    name: "" for name in (*ADDRESS_FIELDS, "zone_name", "company_name", "vat_id") if name not in ("country", "phone")
}
OPEN_STATUSES = (Order.Status.PENDING, Order.Status.CONFIRMED)


def get_customer_orders(customer: Customer) -> QuerySet[Order]:
    """Their orders, those placed as a guest with their proved address included."""
    mine = Q(customer=customer)
    if customer.email and customer.is_proved:
        mine |= Q(customer=None, email__iexact=customer.email)
    return Order.objects.filter(mine)


def get_unfinished_orders(customer: Customer) -> QuerySet[Order]:
    """Orders that are neither with their buyer nor called off, or whose money is on its way back or disputed."""
    going_back = Refund.objects.filter(status=Refund.Status.REQUESTED)
    settled = Q(fulfilment_status=Order.FulfilmentStatus.DELIVERED) | Q(payment_status=Order.PaymentStatus.REFUNDED)
    under_way = Q(status__in=OPEN_STATUSES) & ~settled & ~Q(source=Order.Source.IMPORT)
    under_way |= Q(payment_status=Order.PaymentStatus.DISPUTED)
    under_way |= Q(pk__in=Withdrawal.objects.unsettled().values("order"))
    under_way |= Q(pk__in=ReturnAuthorization.objects.unsettled().exclude(received_at=None).values("order"))
    return get_customer_orders(customer).filter(under_way | Q(payments__refunds__in=going_back))


def explain_wait_for_orders(customer: Customer) -> str:
    """The sentence an erasure waits with; empty when nothing is under way."""
    numbers = list(get_unfinished_orders(customer).order_by("pk").values_list("number", flat=True).distinct())
    if not numbers:
        return ""
    which = f"Order {numbers[0]} is" if len(numbers) == 1 else f"Orders {', '.join(numbers)} are"
    return f"{which} still under way. Once delivered or cancelled, and any refund paid, the erasure goes on by itself."


def erase_orders(customer: Customer) -> int:
    """Takes off everything that is not on the invoice; of what was never paid, everything about the buyer.

    The orders stay the customer's, the row that goes last, so that an erasure cut short finds them again.
    """
    numbers = list(get_customer_orders(customer).values_list("pk", flat=True))
    orders = Order.objects.filter(pk__in=numbers)
    TrackingEvent.objects.filter(shipment__order__in=numbers).delete()
    parcels = Shipment.objects.filter(order__in=numbers)
    parcels.update(tracking_number="", tracker_reference="", tracking_page="", packing_note="")
    parcels.filter(went_to__isnull=False).update(went_to=JSONObject(country=F("went_to__country")))
    OrderEvent.objects.filter(order__in=numbers).update(data={}, relayed_at=timezone.now())
    OrderTick.objects.filter(order__in=numbers).delete()
    DelayNotice.objects.filter(order__in=numbers).update(words="")
    orders.filter(placed_at=None).update(**ON_AN_INVOICE)
    return orders.update(**NOT_ON_AN_INVOICE, customer=customer)


def erase_payments(customer: Customer) -> int:
    """The words of people, and the link to Stripe's page, which knows the address."""
    paid = Payment.objects.filter(order__in=get_customer_orders(customer))
    Refund.objects.filter(payment__in=paid).update(reason="", problem="")
    return paid.update(redirect_url="", problem="")


def get_expired_orders() -> QuerySet[Order]:
    """Orders in our books for longer than tax law asks. Imported ones came into them on the day of the import; one with
    a younger invoice or credit note stays with it.
    """
    since = timezone.now() - INVOICE_RETENTION
    old = Order.objects.filter(created_at__lt=since).exclude(status=Order.Status.PENDING)
    return old.filter(~Exists(Invoice.objects.filter(order=OuterRef("pk"), issued_at__gte=since)))


def retire_invoices() -> int:
    """They stand on payments and orders, and go before them."""
    return Invoice.objects.filter(order__in=get_expired_orders()).delete()[0]


def retire_payments() -> int:
    count = retire_invoices()
    old = Payment.objects.filter(order__in=get_expired_orders())
    stray = StripeRecord.objects.filter(payment=None, created_at__lt=timezone.now() - INVOICE_RETENTION)
    return count + stray.delete()[0] + Refund.objects.filter(payment__in=old).delete()[0] + old.delete()[0]


def retire_orders() -> int:
    """Deletes old orders whole, with their payments, parcels and events."""
    count = retire_payments()
    count += ShipmentLine.objects.filter(shipment__order__in=get_expired_orders()).delete()[0]
    count += Allocation.objects.filter(order_line__order__in=get_expired_orders()).delete()[0]
    OrderEvent.objects.filter(order__in=get_expired_orders()).delete()
    TrackingEvent.objects.filter(shipment__order__in=get_expired_orders()).delete()
    count += Shipment.objects.filter(order__in=get_expired_orders()).delete()[0]
    return count + get_expired_orders().delete()[0]
