"""Leaving a kind of mail by the link in it. Opening it changes nothing; the button, or a mail program's own, does."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts import consent, purposes, tokens
from accounts.models import Customer
from accounts.purposes import Purpose
from notifications import links
from orders.models import Order, OrderTick


@csrf_exempt  # the token is the permission, and RFC 8058's one click comes without a cookie
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    ids = tokens.read(token, links.UNSUBSCRIBE, max_age=links.UNSUBSCRIBE_WORKS_FOR)
    if not ids or not purposes.exists(ids["purpose"]):
        return render(request, "notifications/unsubscribe_unknown.html", status=404)
    purpose = purposes.get(ids["purpose"])
    is_done = request.method == "POST"
    if is_done:
        _turn_off(ids, purpose)
    context = {"purpose": purpose, "is_done": is_done, "order": _order(ids), "is_customer": "customer" in ids}
    return render(request, "notifications/unsubscribe.html", context)


def _turn_off(ids: dict[str, Any], purpose: Purpose) -> None:
    """Saying it twice changes nothing. Whoever is gone gets nothing anyway."""
    if "order" in ids:
        OrderTick.objects.filter(order=ids["order"], purpose=purpose.key, granted=True).update(
            granted=False, changed_at=timezone.now()
        )
        return
    customer = Customer.objects.filter(pk=ids["customer"]).first()
    if customer:
        consent.set_consent(customer, purpose.key, granted=False, source="mail_link")


def _order(ids: dict[str, Any]) -> Order | None:
    return Order.objects.filter(pk=ids["order"]).first() if "order" in ids else None
