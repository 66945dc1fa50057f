"""Mail about one order, as ticked at its checkout. Whoever may see the order can end it, and start nothing."""

from dataclasses import dataclass

from django.utils import timezone

from accounts.consent import purposes
from accounts.models import Consent, Customer
from accounts.privacy import journal
from orders.models import Order, OrderTick

# What is for one order alone; the newsletter's tick asks the address, and is no order's.
OF_ONE_ORDER = (*purposes.NEWS_OF_ORDERS, purposes.RECEIPT_OFFER)


@dataclass(frozen=True)
class OrderMailOptIn:
    """One kind of mail about an order, or part of one, and whether it comes."""

    key: str
    title: str
    is_on: bool


def get_optins_for_order(order: Order) -> list[OrderMailOptIn]:
    """What was ticked for this order. The latest answer counts, given for the order or for the account."""
    ticks = {tick.purpose: tick for tick in order.ticks.filter(purpose__in=OF_ONE_ORDER)}
    if not ticks:
        return []
    consents = Consent.objects.filter(customer=order.customer_id, purpose__in=ticks) if order.customer_id else ()
    answers: dict[str, OrderTick | Consent] = dict(ticks)
    for consent in consents:
        if consent.changed_at > ticks[consent.purpose].changed_at:
            answers[consent.purpose] = consent
    return [
        OrderMailOptIn(key, purposes.get_purpose(key).title, answers[key].granted)
        for key in OF_ONE_ORDER
        if key in answers
    ]


def has_active_optin(customer: Customer) -> bool:
    """Whether news that was ticked for a single order of theirs is still on, while that order is open."""
    found = OrderTick.objects.filter(order__customer=customer, order__status=Order.Status.CONFIRMED, granted=True)
    return found.exists()


def has_ever_opted_in(customer: Customer) -> bool:
    """Whether anything was ever ticked for a single order of theirs."""
    return OrderTick.objects.filter(order__customer=customer, granted=True).exists()


def decline_order_mail(order: Order, key: str) -> None:
    """A no to what was never ticked for this order; what was answered already stays as it was."""
    version = purposes.get_purpose(key).wording_version
    OrderTick.objects.get_or_create(order=order, purpose=key, defaults={"granted": False, "wording_version": version})


def turn_off_order_mail(order_id: int, key: str) -> bool:
    """The order's own no, from now on. False when this was never ticked for it."""
    found = OrderTick.objects.filter(order=order_id, purpose=key)
    for number in found.filter(granted=True).values_list("order__number", flat=True):
        journal.record_optin_withdrawal(number, key)
    return found.update(granted=False, changed_at=timezone.now()) > 0
