"""Leaving a kind of mail by the link in it, or getting it less often. The link can only reduce.

Opening it changes nothing; a button does, and so does a mail program's own one click, which is always a plain off.
"""

from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.consent import consent, purposes
from accounts.consent.purposes import Purpose
from accounts.models import Customer
from accounts.people import tokens
from accounts.preferences import cadence
from accounts.preferences.cadence import Cadence
from notifications import links
from orders import order_mail_optins
from orders.models import Order

ONE_CLICK = "List-Unsubscribe"  # RFC 8058: the form field of a mail program's own button


@csrf_exempt  # the token is the permission, and RFC 8058's one click comes without a cookie
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    ids = tokens.read_token(token, links.UNSUBSCRIBE, max_age=links.UNSUBSCRIBE_WORKS_FOR)
    if not ids or not purposes.is_purpose(ids["purpose"]):
        unknown = {"period": links.UNSUBSCRIBE_WORKS_FOR}
        return render(request, "notifications/unsubscribe_unknown.html", unknown, status=404)
    purpose = purposes.get_purpose(ids["purpose"])
    context: dict[str, Any] = {"purpose": purpose, "order": _find_order(ids)}
    is_on = _is_subscribed(ids, purpose)
    context["was_off"] = not is_on
    if not is_on and (request.method != "POST" or ("less" in request.POST and ONE_CLICK not in request.POST)):
        context["is_done"] = True
    elif request.method != "POST":
        context["less"] = [
            (each, cadence.get_cadence_label(purpose.key, each)) for each in _list_slower_cadences(ids, purpose)
        ]
    elif "less" in request.POST and ONE_CLICK not in request.POST:
        context["less_words"] = _lower_cadence(ids, purpose, request.POST["less"])
    else:
        _unsubscribe_purpose(ids, purpose)
        context["is_done"] = True
    return render(request, "notifications/unsubscribe.html", context)


def _is_subscribed(ids: dict[str, Any], purpose: Purpose) -> bool:
    """Whether this mail was asked for and would come, now or once the whole personal shopper is on again."""
    order, customer = _find_order(ids), _find_customer(ids)
    if order is not None:
        return any(
            news.key == purpose.key and news.is_on for news in order_mail_optins.get_optins_for_order(order)
        ) or (
            order.ticks.filter(purpose=purpose.key, granted=True)
            .exclude(purpose__in=order_mail_optins.OF_ONE_ORDER)
            .exists()
        )
    return customer is not None and customer.consents.filter(purpose=purpose.key, chosen=True).exists()


def _list_slower_cadences(ids: dict[str, Any], purpose: Purpose) -> tuple[Cadence, ...]:
    """What comes less often than now; nothing for a tick on one order, which is soon over by itself."""
    customer = _find_customer(ids)
    if customer is None:
        return ()
    return cadence.get_less_frequent_cadences(purpose.key, cadence.get_cadence(customer, purpose.key))


def _lower_cadence(ids: dict[str, Any], purpose: Purpose, wanted: str) -> str:
    """Never more often, whatever the form says. Returns the pace in words."""
    customer = _find_customer(ids)
    if customer is None or wanted not in _list_slower_cadences(ids, purpose):
        raise BadRequest
    cadence.set_cadence(customer, purpose.key, Cadence(wanted))
    return cadence.get_cadence_label(purpose.key, Cadence(wanted)).lower()


def _unsubscribe_purpose(ids: dict[str, Any], purpose: Purpose) -> None:
    """Saying it twice changes nothing. Whoever is gone gets nothing anyway."""
    if "order" in ids:
        order_mail_optins.turn_off_order_mail(ids["order"], purpose.key)
        return
    customer = _find_customer(ids)
    if customer:
        consent.set_consent(customer, purpose.key, granted=False, source="mail_link")


def _find_customer(ids: dict[str, Any]) -> Customer | None:
    return Customer.objects.filter(pk=ids["customer"]).first() if "customer" in ids else None


def _find_order(ids: dict[str, Any]) -> Order | None:
    return Order.objects.filter(pk=ids["order"]).first() if "order" in ids else None
