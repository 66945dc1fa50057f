"""Orders that came by phone, by post or by e-mail, or go in exchange and cost more: staff enter them, or send the
exchange, and from then on they are like any other.

Entered, an order waits for its payment with its goods set aside. Its buyer pays through its link until `pay_by_at`, or
staff note that the money came another way. Nothing is ticked for anybody: whoever buys is asked on the order's page.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts.models import Customer
from orders import confirmation, events, pickup, pricing
from orders.contracting import ContractedGoods, allocate_goods, create_order_lines, snapshot_terms
from orders.fulfilment.release import cancel_and_release_stock
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_order
from orders.models import DeliveryZone, Order, OrderEvent, Payment, ShippingMethod
from orders.parcel_plan import ParcelPlan, WantedGoods, plan_parcels
from orders.payments import checkout_sessions
from orders.pricing import Totals
from orders.shop_terms import PickupPlace, Terms
from shop.catalog.availability import count_on_shelf, get_availability
from shop.catalog.models import Variant
from shop.catalog.stock import OutOfStock
from shop.money import is_price
from shop.periods import Period
from shop.retrying.loops import Loop, register_loop

PAYABLE_FOR = Period(days=7)
NO_WAY_TO_THE_CODE = (
    "Whoever collects it says a code, and the link to that goes by e-mail: ask for an address, or choose another way."
)
MORE_THAN_FITS = Decimal(10) ** 10  # of what an order's sums hold
TRIES = 3  # for an order whose earlier payment has to be ended first
UNPAID_ORDERS = register_loop(
    Loop(
        "unpaid_orders",
        title="Order",
        advice="Nobody paid it in time, and its goods are still set aside. Cancel it.",
        model="orders.Order",
    )
)


class Channel(models.TextChoices):
    """How an order reached staff. No form of theirs has `EXCHANGE`: it comes of a return."""

    PHONE = "phone", "By phone"
    POST = "post", "By post"
    EMAIL = "email", "By e-mail"
    SHOP = "shop", "In the shop"
    EXCHANGE = "exchange", "In exchange"


class DraftRefused(Exception):  # noqa: N818  (a refusal, not an error)
    """Not as it stands; nothing was entered. The message says why, for people."""


class EnteredAlready(DraftRefused):
    """Its key is that of an order that differs: somebody went back in the browser and typed another."""


@dataclass(frozen=True)
class DraftLine:
    """`unit_price`: the price agreed, where it is not the shop's own; then with a `price_reason`. `is_gift` and
    `is_excluded`: as on an order line.
    """

    variant: Variant
    quantity: int
    unit_price: Decimal | None = None
    price_reason: str = ""
    is_gift: bool = False
    is_excluded: bool = False

    @property
    def price(self) -> Decimal:
        return self.variant.price if self.unit_price is None else self.unit_price

    @property
    def line_total(self) -> Decimal:
        return self.price * self.quantity

    @property
    def contracted(self) -> ContractedGoods:
        marks = {"is_gift": self.is_gift, "is_excluded": self.is_excluded}
        return ContractedGoods(self.variant, self.quantity, self.price, self.price_reason, **marks)


@dataclass(frozen=True)
class OrderDraft:
    """What staff were told. `email`: "" where the buyer has none. `paid_how`: how the money came, such as “Cash”; ""
    where it has not. `in_two`: what is here at once, the rest when it comes, if any of it is to come. `customer`: whose
    it is, where the shop knows. `is_postage_free`: its delivery is not charged. `key` is the form's: sent twice, it is
    one order.

    Where the `method` names a store, its buyer comes there: `address` is a name and the store's country, and there is
    an `email`.
    """

    lines: Sequence[DraftLine]
    address: Mapping[str, str]
    method: ShippingMethod
    channel: Channel
    email: str = ""
    gift_note: str = ""
    company_name: str = ""
    vat_id: str = ""
    in_two: bool = False
    paid_how: str = ""
    customer: Customer | None = None
    is_postage_free: bool = False
    key: uuid.UUID = field(default_factory=uuid.uuid4)


def create_draft_order(draft: OrderDraft, *, actor: str, terms: Terms) -> Order:
    """Enters the order, sets its goods aside, and confirms it where the money has come or none is due.

    Raises `DraftRefused`.
    """
    if entered := _find_entered(draft):
        return entered
    plan = plan_draft(draft, terms)
    draft = replace(draft, in_two=draft.in_two and plan.may_split)
    totals = _check_and_price_draft(draft, terms)
    try:
        with transaction.atomic():
            return _create_order(draft, totals, plan, terms, actor=actor)
    except OutOfStock as refusal:
        short = next(line.variant for line in draft.lines if line.variant.pk == refusal.variant_id)
        there = " there" if draft.method.store_id else ""
        raise DraftRefused(f"{short} cannot be had in that number{there}. Nothing was entered.") from refusal
    except IntegrityError:
        entered = _find_entered(draft)
        if entered is None:
            raise
        return entered


def _find_entered(draft: OrderDraft) -> Order | None:
    """The order that this form made, if it was sent before."""
    order = Order.objects.filter(source=Order.Source.STAFF, cart_fingerprint=str(draft.key)).first()
    if order and not _is_same(order, draft):
        raise EnteredAlready(
            f"{order.number} was entered from this page already, and this differs from it. Nothing was entered now. "
            "If it is another order, enter it once more; to change the first, go to its page."
        )
    return order


def _is_same(order: Order, draft: OrderDraft) -> bool:
    """Whether the order says what the draft says, as far as somebody may have typed something else."""
    lines = order.lines.values_list("variant", "quantity", "unit_price")
    own = [(line.variant.pk, line.quantity, line.price) for line in draft.lines]
    typed = {**draft.address, "email": draft.email, "gift_note": draft.gift_note, "vat_id": draft.vat_id}
    typed |= {"company_name": draft.company_name, "shipping_method_id": str(draft.method.pk)}
    is_paid_alike = (
        not draft.paid_how or not order.total or order.payments.filter(provider=Payment.Provider.BY_HAND).exists()
    )
    return (
        is_paid_alike
        and sorted(lines) == sorted(own)
        and all(str(getattr(order, name)) == value for name, value in typed.items())
    )


def price_draft(draft: OrderDraft, terms: Terms) -> Totals:
    """What it comes to, delivery and tax included."""
    country = draft.address["country"]
    zone = find_draft_zone(draft, terms)
    charged = None if draft.is_postage_free else draft.method
    return pricing.compute_totals(draft.lines, charged, country, terms=terms, zone=zone, in_two=draft.in_two)


def find_draft_zone(draft: OrderDraft, terms: Terms) -> DeliveryZone | None:
    """The zone its address lies in, if any."""
    return terms.find_zone(draft.address["country"], draft.address.get("postcode", ""), draft.method)


def plan_draft(draft: OrderDraft, terms: Terms) -> ParcelPlan:
    """How all of it can go there, entered now. One query at the most."""
    place = terms.get_pickup(draft.method)
    if place is not None:
        return pickup.plan_pickup(draft.lines, place, terms.get_calendar(place.country), timezone.now())
    found = get_availability(line.variant.pk for line in draft.lines)
    goods = [
        WantedGoods(found[line.variant.pk], line.quantity, line.variant.product.released_on) for line in draft.lines
    ]
    calendar = terms.get_calendar(draft.address["country"], draft.address.get("postcode", ""))
    return plan_parcels(goods, draft.method, calendar, timezone.now())


def _check_and_price_draft(draft: OrderDraft, terms: Terms) -> Totals:
    if not draft.lines:
        raise DraftRefused("There is nothing in it yet: name at least one thing.")
    for line in draft.lines:
        _check_line(line)
    if draft.method.store_id is not None:
        _check_pickup(draft, terms.get_pickup(draft.method))
    elif not draft.method.reaches(draft.address["country"]):
        raise DraftRefused(f"{draft.method} does not go to that country.")
    if (zone := find_draft_zone(draft, terms)) and zone.is_refused:
        raise DraftRefused(f"{draft.method} does not go to {zone}: choose another way or address.")
    totals = price_draft(draft, terms)
    if totals.total >= MORE_THAN_FITS:
        raise DraftRefused(f"{totals.total_text} is more than one order can come to. Look at the numbers and prices.")
    return totals


def _check_line(line: DraftLine) -> None:
    if line.quantity < 1:
        raise DraftRefused(f"{line.variant}: how many?")
    if line.unit_price is not None and not line.price_reason:
        raise DraftRefused(f"{line.variant}: a price of your own needs a reason.")
    if line.price < 0 or not is_price(line.price, line.variant.currency):
        raise DraftRefused(f"{line.variant} cannot be sold at that price.")


def _check_pickup(draft: OrderDraft, place: PickupPlace | None) -> None:
    """As at the checkout: all of it lies there, and is out."""
    if place is None:
        raise DraftRefused(f"{draft.method} is not offered any more. Choose another way.")
    if not draft.email:
        raise DraftRefused(NO_WAY_TO_THE_CODE)
    if lacking := find_lacking_goods(draft):
        raise DraftRefused(f"{lacking[0]} does not lie at {place.name} in that number. Choose another way.")


def find_lacking_goods(draft: OrderDraft) -> list[Variant]:
    """What the draft's store has too little of, or what is not out yet. One query."""
    wanted: Counter[int] = Counter()
    for line in draft.lines:
        wanted[line.variant.pk] += line.quantity
    found, today = count_on_shelf(wanted, draft.method.store_id or 0), timezone.localdate()
    named = {line.variant.pk: line.variant for line in draft.lines}
    return [
        variant
        for pk, variant in named.items()
        if wanted[pk] > found[pk] or (variant.product.released_on or today) > today
    ]


def _create_order(draft: OrderDraft, totals: Totals, plan: ParcelPlan, terms: Terms, *, actor: str) -> Order:
    order = Order.objects.create(
        **snapshot_terms(draft.address, draft.method, totals, plan.together, terms, in_two=draft.in_two),
        email=draft.email,
        customer=draft.customer,
        source=Order.Source.STAFF,
        cart_fingerprint=str(draft.key),
        gift_note=draft.gift_note,
        company_name=draft.company_name,
        vat_id=draft.vat_id,
        pay_by_at=timezone.now() + PAYABLE_FOR,
    )
    goods = [line.contracted for line in draft.lines]
    order_lines = create_order_lines(order, goods, totals, plan, terms)
    is_payable = bool(order.total) and not draft.paid_how
    events.record_order_event(
        order, OrderEvent.Kind.DRAFTED, actor=actor, reason=draft.channel.label, is_payable=is_payable
    )
    if order.total and draft.paid_how:
        _record_money_by_hand(order, how=draft.paid_how)
    allocate_goods(order_lines)
    if not is_payable:
        order.payment_status = Order.PaymentStatus.PAID
        confirmation.confirm_order(order)
    return order


def _record_money_by_hand(order: Order, *, how: str) -> None:
    Payment.objects.create(
        order=order,
        provider=Payment.Provider.BY_HAND,
        note=how[:120],
        amount=order.total,
        currency=order.currency,
        status=Payment.Status.CAPTURED,
        captured_at=timezone.now(),
    )


def start_link_payment(order_id: int) -> Payment:
    """The payment with which the buyer goes on now. Raises `DraftRefused`, and `StripeUnreachable` when an earlier one
    can't be ended now.
    """
    for _ in range(TRIES):
        payment = _find_or_create_payment(order_id)
        if not _is_overdue(payment):
            return payment
        checkout_sessions.expire_payment(payment)
    raise checkout_sessions.StripeUnreachable("The order's earlier payment would not end.")


@transaction.atomic
def _find_or_create_payment(order_id: int) -> Payment:
    order = lock_order(order_id)
    if not order.is_payable_by_link:
        raise DraftRefused("This order does not wait for a payment any more.")
    begun = order.payments.filter(status__in=checkout_sessions.PAYABLE).order_by("-pk").first()
    if begun and begun.problem and begun.status == Payment.Status.CREATED:
        # Stripe failed over its key and may go on saying so. Nobody ever saw a page of it: a new key is safe.
        Payment.objects.filter(pk=begun.pk).update(status=Payment.Status.EXPIRED)
        begun = None
    payment = begun or Payment.objects.create(order=order, amount=order.total, currency=order.currency)
    payment.order = order
    return payment


def _is_overdue(payment: Payment) -> bool:
    """Whether it is to end about now, so that its page would end under the buyer's hands."""
    age = timezone.now() - payment.created_at
    return payment.status in checkout_sessions.LIVE and age > timedelta(seconds=settings.PAYMENT_HOLD_SECONDS)


def mark_paid_by_hand(order_id: int, *, how: str, actor: str) -> Order:
    """The money came another way: in cash, by transfer. A payment page that is open is ended first.

    Raises `TransitionRefused`, and `StripeUnreachable` when the page can't be ended now.
    """
    _end_open_payments(order_id)
    with transaction.atomic():
        order = _lock_waiting_order(order_id)
        _record_money_by_hand(order, how=how)
        events.record_order_event(order, OrderEvent.Kind.PAID_BY_HAND, actor=actor, reason=how, amount=str(order.total))
        confirmation.renew_promise(order)
        confirmation.confirm_order(order)
    return order


def cancel_draft_order(order_id: int, *, actor: str, reason: str = "") -> Order:
    """Calls off an order that nobody has paid. Raises as `mark_paid_by_hand`."""
    _end_open_payments(order_id)
    with transaction.atomic():
        order = _lock_waiting_order(order_id)
        _end_draft_order(order, actor=actor, reason=reason)
    return order


def _end_draft_order(order: Order, *, actor: str, reason: str = "") -> None:
    events.record_order_event(order, OrderEvent.Kind.DRAFT_ENDED, actor=actor, reason=reason)
    cancel_and_release_stock(order, actor=actor)


def _end_open_payments(order_id: int) -> None:
    """Outside any transaction: Stripe may say that one was paid meanwhile."""
    for payment in Payment.objects.filter(order=order_id, status__in=checkout_sessions.LIVE).select_related("order"):
        checkout_sessions.expire_payment(payment)


def _lock_waiting_order(order_id: int) -> Order:
    order = lock_order(order_id)
    if not order.waits_for_link:
        raise TransitionRefused(f"{order.number} does not wait for a payment any more. Look again.")
    if order.payments.filter(status__in=checkout_sessions.PAYABLE).exists():
        raise TransitionRefused(f"{order.number}: its buyer is paying just now. Look again in a while.")
    if order.payments.filter(status=Payment.Status.FLAGGED).exists():
        raise TransitionRefused(f"{order.number}: money came that does not fit it. Give that back first.")
    return order


def end_unpaid_orders() -> int:
    """Lets go of what nobody paid in time; one whose buyer is paying just now is left to that payment."""
    late = Order.objects.filter(status=Order.Status.PENDING, pay_by_at__lte=timezone.now())
    UNPAID_ORDERS.forget_settled(late)
    count = 0
    for order in UNPAID_ORDERS.due(late).order_by("pay_by_at"):
        with UNPAID_ORDERS.attempt(order.pk, subject=f"{UNPAID_ORDERS.title} {order.number}"):
            count += _end_unpaid_order(order.pk)
    return count


@transaction.atomic
def _end_unpaid_order(order_id: int) -> bool:
    order = lock_order(order_id)
    under_way = order.payments.filter(status__in=[*checkout_sessions.PAYABLE, Payment.Status.FLAGGED])
    if not order.waits_for_link or under_way.exists():
        return False
    _end_draft_order(order, actor=events.RULE, reason="Nobody paid in time.")
    return True
