"""Who may see an order: its customer, and whoever holds its link or has just placed it.

A link in a mail carries a signed token. Using it swaps the token for a narrow grant in the session, good for that
order alone. Opening it proves nothing: mail scanners open links too.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.urls import reverse

from accounts.models import Customer
from accounts.people import tokens
from accounts.people.auth import get_customer
from accounts.privacy import access_log
from orders.models import Order
from shop.model_rows import RowStatement

TOKEN_KIND = "order"  # noqa: S105  (the name of a kind of link)
LIFETIME = timedelta(days=400)  # as long as somebody may look up what they bought
GRANTS = "orders"
MOST_GRANTS = 30
MAY_BE_EXCHANGES = (Order.Source.EXCHANGE, Order.Source.STAFF)  # the latter where it costs more
_ORDER = RowStatement(Order, "WHERE t.number = %(number)s")


def build_order_link(order: Order) -> str:
    """The link to the order for its mails."""
    token = tokens.sign_token(TOKEN_KIND, number=order.number)
    return settings.SITE_URL + reverse("order_open", args=[order.number, token])


def build_withdrawal_link(order: Order) -> str:
    """The link by which the reader of a mail withdraws from that order; it opens the order as its own link does."""
    token = tokens.sign_token(TOKEN_KIND, number=order.number)
    return settings.SITE_URL + reverse("order_withdrawal_open", args=[order.number, token])


def build_delay_link(order: Order) -> str:
    """The link to the choice that a delay gives; it opens the order as its own link does."""
    token = tokens.sign_token(TOKEN_KIND, number=order.number)
    return settings.SITE_URL + reverse("order_delay_open", args=[order.number, token])


def get_granted_numbers(request: HttpRequest) -> list[str]:
    """The orders that this session may see by their links, those opened last at the end."""
    return list(request.session.get(GRANTS, []))


def is_valid_order_token(number: str, token: str) -> bool:
    ids = tokens.read_token(token, TOKEN_KIND, max_age=LIFETIME)
    return ids is not None and ids.get("number") == number


def grant_order_access(request: HttpRequest, order: Order) -> None:
    """Lets this session see this order and what goes in exchange for it, and nothing else."""
    granted = [number for number in request.session.get(GRANTS, []) if number != order.number]
    request.session[GRANTS] = [*granted, order.number][-MOST_GRANTS:]


def revoke_order_access(request: HttpRequest) -> None:
    """This session sees no order by its link any more."""
    request.session.pop(GRANTS, None)


def may_see_order(request: HttpRequest, order: Order) -> bool:
    """What goes in exchange is seen by whoever may see the order it is for: one query more, for those alone, and one
    for each exchange before it.
    """
    granted = request.session.get(GRANTS, [])
    if order.number in granted:
        return True
    if granted and _is_for_one_of(order, granted):
        return True
    customer = get_customer(request)
    return customer is not None and order.customer_id == customer.pk


def _is_for_one_of(sent: Order, numbers: list[str]) -> bool:
    """Whether it goes in exchange for goods of one of these orders, or of what went in exchange for those."""
    came_from: Order | None = sent
    while came_from is not None and came_from.source in MAY_BE_EXCHANGES:
        came_from = Order.objects.filter(returns__exchange_order=came_from).first()
        if came_from is not None and came_from.number in numbers:
            return True
    return False


def find_order(number: str) -> Order | None:
    return next(iter(_ORDER.fetch({"number": number})), None)


def get_order_or_404(request: HttpRequest, number: str) -> Order:
    """The order, for those who may see it. Everybody else gets the same 404 as for an order that isn't there."""
    order = find_order(number)
    if order is None or not may_see_order(request, order):
        raise Http404
    return order


def owns(request: HttpRequest, order: Order) -> bool:
    """Whether the order is theirs: their customer's; or nobody's yet, and this browser had its link or placed it.

    The link to an order that has a customer shows it, and leaves what is drawn from it to that customer.
    """
    if order.customer_id is None:
        return order.number in request.session.get(GRANTS, [])
    customer = get_customer(request)
    return customer is not None and order.customer_id == customer.pk


def find_own(request: HttpRequest, number: str) -> Order:
    """The order, for those whose it is (see `owns`). Everybody else gets the 404 of an order that isn't there."""
    order = get_order_or_404(request, number)
    if not owns(request, order):
        raise Http404
    return order


def join_orders_to_customer(customer: Customer) -> None:
    """An address was proved: the orders placed with it are that customer's from now on."""
    if not (customer.email and customer.is_proved):
        return
    # a guest without an address gave it up to this customer, who proved it too
    gave_it_up = Q(customer__user=None, customer__email=None, customer__external_reference=None)
    joining = Order.objects.filter(Q(customer=None) | gave_it_up, email=customer.email.lower())
    if numbers := list(joining.values_list("number", flat=True)):
        Order.objects.filter(number__in=numbers).update(customer=customer)
        access_log.assign_guest_entries(customer, numbers)
