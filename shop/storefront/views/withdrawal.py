"""“Withdraw from contract here”: from an order, or by its number and e-mail. Two steps on one page, without a login."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.people.auth import get_customer
from orders import cancellation, order_access, rate_limits, status
from orders.models import Order, Withdrawal
from orders.returns import deadlines, declaring, statements, wording
from orders.returns.deadlines import WITHDRAWAL_PERIOD
from orders.returns.declaring import CONTRACT_STATUSES, Declaration, WithdrawalRefused
from orders.returns.withdrawal_forms import OrderWithdrawalForm, StatementForm
from orders.shop_terms import Terms
from orders.views.redirects import see_other
from shop.storefront import page_cache

MOST_LISTED = 10
RECEIVED = "We have received your withdrawal. An acknowledgement is on its way to {}."


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def withdrawal(request: HttpRequest) -> HttpResponse:
    """For whoever comes by the foot of a page. The answer to a declaration is the same whether or not it fits an order.

    It looks for none: one row is written, and a job does the rest (`orders.returns.statements`).
    """
    form = StatementForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "rows": _list_own_orders(request), "withdrawal_period": WITHDRAWAL_PERIOD}
        return render(request, "storefront/withdrawal/ask.html", context)
    if _is_too_much(request):
        return render(request, "429.html", status=429)
    said = form.cleaned_data
    received_at = statements.write_down_statement(**said)
    context = {"said": said, "received": wording.format_moment(received_at), "received_at": received_at}
    return render(request, "storefront/withdrawal/received.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def order_withdrawal(request: HttpRequest, number: str) -> HttpResponse:
    """For whoever may see the order: everything is filled in, and one button confirms it."""
    order = order_access.get_order_or_404(request, number)
    standing = list(order.withdrawals.standing().prefetch_related("lines"))
    left = declaring.count_pieces_left(order, standing) if declaring.has_contract(order) else {}
    form = OrderWithdrawalForm(request.POST or None, order=order, left=left)
    if request.method != "POST":
        return _render_order_page(request, order, form, standing)
    if _is_too_much(request):
        return render(request, "429.html", status=429)
    if left and not form.is_valid():
        return _render_order_page(request, order, form, standing)
    return _declare(request, order, form)


def _is_too_much(request: HttpRequest) -> bool:
    most = settings.WITHDRAWALS_PER_MINUTE
    return not rate_limits.is_within_rate_limit(request, "withdrawal", most_per_minute=most)


def _declare(request: HttpRequest, order: Order, form: OrderWithdrawalForm) -> HttpResponse:
    """A form of which nothing is left to withdraw from was sent twice: the first stands, and the page shows it."""
    given = form.cleaned_data if form.line_ids else {}
    declaration = Declaration(
        given.get("full_name", order.full_name),
        given.get("email", order.email),
        form.quantities if form.line_ids else {},
    )
    try:
        declared = declaring.declare_withdrawal(order.pk, declaration, way=Withdrawal.Way.ORDER)
    except WithdrawalRefused as refusal:
        messages.error(request, str(refusal))
        return see_other("order_withdrawal", order.number)
    if declared.is_new:
        messages.success(request, RECEIVED.format(declared.withdrawal.acknowledged_to))
    else:
        received = wording.format_moment(declared.withdrawal.declared_at)
        messages.info(request, f"You declared this before. That one stands; we received it on {received}.")
    return see_other("order_withdrawal", order.number)


def _render_order_page(
    request: HttpRequest, order: Order, form: OrderWithdrawalForm, standing: list[Withdrawal]
) -> HttpResponse:
    now = timezone.now()
    period = deadlines.find_withdrawal_period(order, page_cache.get_cached_terms())
    context: dict[str, Any] = {
        "order": order,
        "form": form,
        "has_contract": declaring.has_contract(order),
        "period": wording.describe_period(period, now, is_collected=order.pickup_store_id is not None),
        "is_late": not period.is_open_at(now),
        "may_cancel": status.may_customer_cancel(order, lost=status.lost_total(order))
        and cancellation.may_cancel(order),
        "declared": [
            {
                "withdrawal": each,
                "received": wording.format_moment(each.declared_at),
                "follows": wording.describe_what_follows(each),
                "entered": wording.ENTERED_FOR_BUYER if each.entered_by else "",
                "is_open": not (each.settled_at or each.goods_back_at),
            }
            for each in standing
        ],
    }
    return render(request, "storefront/withdrawal/order.html", context)


def _list_own_orders(request: HttpRequest) -> list[dict[str, Any]]:
    """The orders this browser may see anyway, the newest first, with the words for each."""
    found = _find_own_orders(request)
    if found is None:
        return []
    terms = page_cache.get_cached_terms()
    return [
        {"order": each, "period": _describe_period(each, terms)}
        for each in found.prefetch_related("shipments", "lines")[:MOST_LISTED]
    ]


def _describe_period(order: Order, terms: Terms) -> str:
    period = deadlines.find_withdrawal_period(order, terms)
    return wording.describe_period(period, timezone.now(), is_collected=order.pickup_store_id is not None)


def _find_own_orders(request: HttpRequest) -> QuerySet[Order] | None:
    """None for a stranger, of whom nothing is asked."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    customer, granted = get_customer(request), order_access.get_granted_numbers(request)
    if customer is None and not granted:
        return None
    mine = Q(number__in=granted)
    if customer is not None:
        mine |= Q(customer=customer)
    return Order.objects.filter(mine, status__in=CONTRACT_STATUSES)
