"""The cart: a customer's, or a visitor's known by a token in the session. It reserves nothing; checkout does.

Every change happens under the cart's row lock, in its own transaction, and leaves the count in the session so that
the page's head needs no query.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.http import HttpRequest

from accounts.models import Customer
from accounts.people.auth import get_login_customer
from orders import cart_lines
from orders.models import Cart, CartLine, Order, ShopSettings
from shop import prepared
from shop.catalog.models import Variant
from shop.model_rows import RowStatement
from shop.prepared import PreparedStatement

TOKEN_SESSION_KEY = "cart"  # noqa: S105  (a session key)
COUNT_SESSION_KEY = "cart_count"
_LINES_OF = RowStatement(CartLine, "WHERE t.cart_id = %(cart)s AND t.variant_id = ANY(%(variants)s::bigint[])")
_DELETE_LINES = PreparedStatement("DELETE FROM orders_cartline WHERE id = ANY(%(lines)s::bigint[]) RETURNING id")
FOR_TAKING_OUT = (_LINES_OF.statement, _DELETE_LINES)  # what a transaction that takes out what was bought runs
_COUNT_OF_VISITOR = PreparedStatement("""
SELECT coalesce(sum(line.quantity), 0) FROM orders_cart cart JOIN orders_cartline line ON line.cart_id = cart.id
WHERE cart.token = %(token)s AND cart.customer_id IS NULL
""")


@dataclass(frozen=True)
class CartChange:
    """`count`: things in the cart now. `notice` says, for people, what was capped; empty when all went as asked.

    `title`: what was added, where something was.
    """

    count: int
    notice: str = ""
    title: str = ""


class NotForSale(Exception):  # noqa: N818  (a refusal, not an error)
    """Not offered, or no longer; nothing was added."""


def get_cart_for_request(request: HttpRequest) -> Cart | None:
    """The cart of whoever asks, if there is one."""
    customer = get_login_customer(request)
    if customer is not None:
        return cart_lines.find_cart_of_customer(customer.pk)
    token = request.session.get(TOKEN_SESSION_KEY)
    return cart_lines.find_cart_of_visitor(token) if token else None


def refresh_session_count(request: HttpRequest, cart: Cart | None) -> None:
    """Writes how many things are in the cart into the session, for the page's head."""
    count = count_cart_items(cart) if cart else 0
    store_session_count(request, count)


def store_session_count(request: HttpRequest, count: int) -> None:
    if request.session.get(COUNT_SESSION_KEY, 0) != count:
        request.session[COUNT_SESSION_KEY] = count


def count_cart_items(cart: Cart) -> int:
    return _count_items(cart.lines.all())


def count_items_for_request(request: HttpRequest) -> int:
    """How many things are in the cart of whoever asks. One query."""
    customer = get_login_customer(request)
    if customer is not None:
        return _count_items(CartLine.objects.filter(cart__customer=customer))
    token = request.session.get(TOKEN_SESSION_KEY)
    return int(_COUNT_OF_VISITOR.fetch_rows({"token": token})[0][0]) if token else 0


def _count_items(lines: QuerySet[CartLine]) -> int:
    return lines.aggregate(sum=Sum("quantity"))["sum"] or 0


def get_priced_lines(cart: Cart) -> list[CartLine]:
    """The lines with variant, product, picture and stock, in one query."""
    return cart_lines.read_cart_lines(cart.pk)


def add_for_request(request: HttpRequest, variant_id: int, *, quantity: int = 1, is_gift: bool = False) -> CartChange:
    """`add_to_cart` for whoever asks; their cart is made when there is none. Raises `NotForSale`."""
    customer, token = get_login_customer(request), request.session.get(TOKEN_SESSION_KEY)

    def add() -> tuple[CartChange, Cart | None]:
        cart_id, made = _lock_or_create_cart(customer, token)
        return _add_to_line(cart_id, variant_id, quantity, is_gift, must_be_for_sale=True), made

    change, made = prepared.run_in_transaction(add, statements=cart_lines.FOR_ADDING)
    if made is not None and customer is None:
        request.session[TOKEN_SESSION_KEY] = made.token
    return change


def _lock_or_create_cart(customer: Customer | None, token: str | None) -> tuple[int, Cart | None]:
    """The id of the cart, and the cart itself where it was made now: nobody else knows of it before the commit."""
    if customer is None:
        cart_id = cart_lines.lock_cart_of_visitor(token) if token else None
    else:
        cart_id = cart_lines.lock_cart_of_customer(customer.pk)
    if cart_id is not None:
        return cart_id, None
    if customer is None:
        made = Cart.objects.create()
    else:
        made, _ = Cart.objects.get_or_create(customer=customer)
        _lock_cart(made)
    return made.pk, made


@transaction.atomic
def add_to_cart(cart: Cart, variant: Variant, *, quantity: int = 1, is_gift: bool = False) -> CartChange:
    """Adds to the line of its kind, as far as stock and the shop's limit go. A gift and no gift are two lines."""
    _lock_cart(cart)
    return _add_to_line(cart.pk, variant.pk, quantity, is_gift)


def _add_to_line(
    cart_id: int, variant_id: int, quantity: int, is_gift: bool, *, must_be_for_sale: bool = False
) -> CartChange:
    added = max(1, quantity)
    line_id, in_line = cart_lines.add_quantity(cart_id, variant_id, quantity=added, is_gift=is_gift)
    lines = cart_lines.read_cart_lines(cart_id)
    line = next((each for each in lines if each.pk == line_id), None)
    if line is None or (must_be_for_sale and not line.is_offered):
        raise NotForSale
    return _cap_line(line, lines, before=in_line - added)


@transaction.atomic
def add_if_missing(cart: Cart, variant: Variant) -> CartChange:
    """Adds one, as far as stock goes. In the cart already, as a gift or not: nothing changes; the notice says so."""
    lines = _lock_cart_lines(cart)
    if any(line.variant_id == variant.pk for line in lines):
        return CartChange(_sum_quantities(lines), f"{variant} is in your cart already.")
    return add_to_cart(cart, variant)


def get_quantity_limit() -> int:
    """How many of one thing the shop sells in one order, as staff have set it."""
    return ShopSettings.current().quantity_limit


def describe_limit(limit: int) -> str:
    return f"We sell at most {limit:,} of one thing in one order. If you need more, please write to us."


@transaction.atomic
def set_quantity(cart: Cart, line_id: int, quantity: int) -> CartChange:
    """As many as asked, as far as stock and the shop's limit go. A line that is gone changes nothing."""
    _lock_cart(cart)
    is_there = CartLine.objects.filter(pk=line_id, cart=cart).update(quantity=max(1, quantity))
    lines = cart_lines.read_cart_lines(cart.pk)
    if not is_there:
        return CartChange(_sum_quantities(lines))
    return _cap_line(next(line for line in lines if line.pk == line_id), lines, before=0)


def _cap_line(line: CartLine, lines: list[CartLine], *, before: int) -> CartChange:
    """Lowers a line to what there is and to the shop's limit, and says so; one with nothing to be had goes away."""
    limit = line.quantity_limit or ShopSettings().quantity_limit
    most = max(0, min(line.available, limit - line.other_line_count))
    if most >= line.quantity:
        return CartChange(_sum_quantities(lines), title=str(line.variant))
    count = _sum_quantities(lines) - line.quantity + most
    if most == 0:
        CartLine.objects.filter(pk=line.pk).delete()
    else:
        CartLine.objects.filter(pk=line.pk).update(quantity=most)
    return CartChange(count, _explain_cap(line, most=most, limit=limit, before=before))


def _explain_cap(goods: CartLine, *, most: int, limit: int, before: int) -> str:
    title, in_all = str(goods.variant), most + goods.other_line_count
    if in_all == 0:
        return f"{title} is out of stock just now, so it is not in your cart."
    if limit - goods.other_line_count < goods.available:
        return f"{describe_limit(limit)} Of {title}, {in_all:,} are in your cart."
    return _describe_last_stock(title, in_all, was_there=before >= most)


def _describe_last_stock(title: str, available: int, *, was_there: bool) -> str:
    already = " already" if was_there else ""
    if available == 1:
        return f"There is only 1 of {title}; it is in your cart{already}."
    return f"There are only {available} of {title}; they are all in your cart{already}."


def _sum_quantities(lines: Iterable[CartLine]) -> int:
    return sum(line.quantity for line in lines)


@transaction.atomic
def set_gift(cart: Cart, line_id: int, *, is_gift: bool) -> None:
    """Makes a line a gift or no gift; where the cart has one of that kind already, the two become one."""
    lines = _lock_cart_lines(cart)
    line = next((each for each in lines if each.pk == line_id and each.is_gift != is_gift), None)
    if line is None:
        return
    twin = next((each for each in lines if each.variant_id == line.variant_id and each.pk != line.pk), None)
    if twin is not None:
        line.quantity += twin.quantity
        twin.delete()
    line.is_gift = is_gift
    line.save(update_fields=["is_gift", "quantity"])


@transaction.atomic
def set_gift_note(cart: Cart, note: str) -> None:
    _lock_cart(cart)
    Cart.objects.filter(pk=cart.pk).update(gift_note=note)


@transaction.atomic
def remove_line(cart: Cart, line_id: int) -> CartLine | None:
    """Takes a line out and returns what it was, so that it can be put back."""
    _lock_cart(cart)
    line = cart.lines.select_related("variant__product").filter(pk=line_id).first()
    if line is not None:
        CartLine.objects.filter(pk=line.pk).delete()
    return line


@transaction.atomic
def merge_carts(into: Cart, visitor_cart: Cart) -> list[str]:
    """Moves a visitor's lines into the customer's cart, as far as stock goes. Returns notices of what was capped."""
    pair = Cart.objects.select_for_update().filter(pk__in=[into.pk, visitor_cart.pk]).order_by("pk")
    if len(pair) < 2:  # another login of the same visitor was first
        return []
    lines = get_priced_lines(visitor_cart)
    _move_unfinished_payment(into, visitor_cart)  # first: what it holds is there for the lines
    notices = [_move_line(line, into) for line in lines]
    if visitor_cart.gift_note and not into.gift_note:
        Cart.objects.filter(pk=into.pk).update(gift_note=visitor_cart.gift_note)
    visitor_cart.delete()
    return [notice for notice in notices if notice]


def _move_line(line: CartLine, into: Cart) -> str:
    change = add_to_cart(into, line.variant, quantity=line.quantity, is_gift=line.is_gift)
    return change.notice


def _move_unfinished_payment(into: Cart, visitor_cart: Cart) -> None:
    """An unfinished payment goes with its goods, unless the customer's own cart has one."""
    waiting = Order.objects.filter(cart=visitor_cart, status=Order.Status.PENDING)
    if not Order.objects.filter(cart=into, status=Order.Status.PENDING).exists():
        waiting.update(cart=into)


@transaction.atomic(savepoint=False)
def remove_bought_items(cart_id: int, bought: Iterable[tuple[int, bool, int]]) -> None:
    """Takes what was bought, `(variant id, is a gift, quantity)`, out of the cart; what was added since stays.

    The line of its kind first, then the other: somebody may have changed their mind about the gift while they paid.
    """
    sold = list(bought)
    lines = _LINES_OF.fetch({"cart": cart_id, "variants": [variant_id for variant_id, *_ in sold]})
    taken: Counter[CartLine] = Counter()
    for variant_id, is_gift, quantity in sold:
        left = quantity
        of_variant = (line for line in lines if line.variant_id == variant_id)
        for line in sorted(of_variant, key=lambda line: line.is_gift != is_gift):
            goes = min(left, line.quantity - taken[line])
            taken[line] += goes
            left -= goes
    _DELETE_LINES.fetch_rows({"lines": [line.pk for line in lines if taken[line] == line.quantity]})
    for line, count in taken.items():
        if 0 < count < line.quantity:
            CartLine.objects.filter(pk=line.pk).update(quantity=F("quantity") - count)


def claim_visitor_cart(customer: Customer, token: str) -> tuple[Cart | None, list[str]]:
    """At login: what the visitor had goes into the customer's cart."""
    visitor_cart = Cart.objects.filter(customer=None, token=token).first() if token else None
    if visitor_cart is None:
        return Cart.objects.filter(customer=customer).first(), []
    own, _ = Cart.objects.get_or_create(customer=customer)
    return own, merge_carts(own, visitor_cart)


def _lock_cart_lines(cart: Cart) -> list[CartLine]:
    _lock_cart(cart)
    return list(cart.lines.all())


def _lock_cart(cart: Cart) -> None:
    """Raises `Cart.DoesNotExist` for a cart that was merged into another meanwhile."""
    if not cart_lines.lock_cart(cart.pk):
        raise Cart.DoesNotExist
