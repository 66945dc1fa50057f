"""What leads to an order and what is done to it. The page itself is the storefront's."""

import logging
from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.consent import purposes
from orders import cancellation, carts, order_access, order_mail_optins, status
from orders.events import BUYER
from orders.fulfilment import denials
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, Payment, Refund, Shipment
from orders.payments import checkout_sessions
from orders.views.redirects import see_other
from shop.model_rows import RowStatement

log = logging.getLogger(__name__)

MONEY_BACK = " Your money is on its way back, the way you paid."
WRITE = "Write to us, and we see to it."
_LATEST_PAYMENT = RowStatement(Payment, "WHERE t.order_id = %(order)s ORDER BY t.id DESC LIMIT 1")
RETURNS_WITHIN = timedelta(days=1)  # no session lives longer


@never_cache
@require_safe
def open_order_link(request: HttpRequest, number: str, token: str, *, to: str = "order") -> HttpResponse:
    """From the mail to the order: the token becomes a grant for this order. Nothing is proved by opening a link.

    `to`: which page of the order the link is for.
    """
    order = Order.objects.filter(number=number).first()
    if order is None or not order_access.is_valid_order_token(number, token):
        raise Http404
    order_access.grant_order_access(request, order)
    return see_other(to, number)


@never_cache
@require_safe
def order_paid(request: HttpRequest, number: str) -> HttpResponse:
    """Where Stripe sends the buyer after paying. Stripe's own word counts, not that somebody came here."""
    payment = _get_payment_or_404(request, number)
    try:
        payment = checkout_sessions.settle_found_payment(payment)
    except checkout_sessions.StripeUnreachable:
        log.warning("Stripe is out of reach on the return of %s", number)
    carts.store_session_count(request, carts.count_items_for_request(request))
    page = reverse("order", args=[number])
    return see_other(f"{page}?paid=unknown" if payment.status in checkout_sessions.LIVE else page)


@never_cache
@require_safe
def order_unpaid(request: HttpRequest, number: str) -> HttpResponse:
    """Where Stripe sends the buyer who turned back. The session stays good for as long as we hold the goods."""
    payment = _get_payment_or_404(request, number)
    if payment.order.pay_by_at:
        messages.info(request, "Nothing was charged.")
        return see_other("order", number)
    messages.info(request, "Nothing was charged. Your cart is as you left it.")
    return see_other("cart")


def _get_payment_or_404(request: HttpRequest, number: str) -> Payment:
    """The order's latest payment, for whoever may see the order or brings the session's own secret reference."""
    order = order_access.find_order(number)
    payment = next(iter(_LATEST_PAYMENT.fetch({"order": order.pk})), None) if order else None
    if order is None or payment is None:
        raise Http404
    payment.order = order
    if order_access.may_see_order(request, payment.order):
        return payment
    is_fresh = timezone.now() - payment.created_at < RETURNS_WITHIN
    if not payment.provider_reference or request.GET.get("session") != payment.provider_reference or not is_fresh:
        raise Http404
    order_access.grant_order_access(request, payment.order)
    return payment


@require_POST
def cancel_own_order(request: HttpRequest, number: str) -> HttpResponse:
    order = order_access.get_order_or_404(request, number)
    if not status.may_customer_cancel(order, lost=status.lost_total(order)):
        messages.error(request, f"This order is on hold, so it cannot be cancelled from here. {WRITE}")
        return see_other("order", number)
    try:
        cancellation.cancel_order(order.pk, actor=BUYER, reason="Called off before it left.")
    except TransitionRefused:
        messages.error(request, "This order can no longer be cancelled: it has left us, or was cancelled before.")
    else:
        refunded = Refund.objects.filter(payment__order=order).exclude(status=Refund.Status.FAILED).exists()
        messages.success(request, f"Cancelled.{MONEY_BACK if refunded else ''}")
    return see_other("order", number)


@require_POST
def deny_delivery(request: HttpRequest, number: str, parcel_id: int) -> HttpResponse:
    parcel = _get_parcel_or_404(request, number, parcel_id)
    try:
        denials.deny_delivery(parcel.pk, actor=BUYER)
    except TransitionRefused:
        is_here = parcel.stage == Shipment.Stage.DELIVERED
        known = "What was in this parcel was sent or paid back" if is_here else "This parcel is still on its way"
        messages.error(request, f"{known}, as far as we know. If something is wrong, write to us.")
    else:
        messages.success(request, "We are sorry. We look for your parcel, and write to you. You need do nothing.")
    return see_other("order", number)


@require_POST
def take_denial_back(request: HttpRequest, number: str, parcel_id: int) -> HttpResponse:
    denials.take_denial_back(_get_parcel_or_404(request, number, parcel_id).pk, actor=BUYER)
    messages.success(request, "Good to hear that it came.")
    return see_other("order", number)


def _get_parcel_or_404(request: HttpRequest, number: str, parcel_id: int) -> Shipment:
    return get_object_or_404(order_access.get_order_or_404(request, number).shipments, pk=parcel_id)


@require_POST
def end_news(request: HttpRequest, number: str, key: str) -> HttpResponse:
    """Turns one kind of mail about this order off. The link in a mail is enough for that, and for no more."""
    order = order_access.get_order_or_404(request, number)
    if key not in order_mail_optins.OF_ONE_ORDER or not order_mail_optins.turn_off_order_mail(order.pk, key):
        raise Http404
    messages.success(request, f"“{purposes.get_purpose(key).title}” is off for this order, from now on.")
    return see_other("order", number)
