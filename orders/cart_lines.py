"""A cart and its lines with goods and stock, in plain statements: the ORM took longer to build them than they run."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.utils import timezone

from orders.models import Cart, CartLine
from orders.models.cart import LineStock
from shop.catalog.models import Maker, Product, Variant
from shop.prepared import PreparedStatement

Row = TypeVar("Row", bound=Model)

# What is read of each, by its alias in the statement; the rest comes when somebody asks for it.
_LINE = ("id", "cart_id", "variant_id", "quantity", "is_gift", "created_at")
_VARIANT = (
    "id", "product_id", "sku", "size", "colour", "style", "price", "currency", "content_amount", "content_unit",
    "is_active",
)  # fmt: skip
_PRODUCT = (
    "id", "title", "slug", "category_id", "maker_id", "guarantee_years", "tax_class", "released_on", "is_published",
    "card_image", "card_alt",
)  # fmt: skip
_MAKER = ("id", "name")
_COLUMNS = ", ".join(
    f"{alias}.{column}"
    for alias, columns in {"line": _LINE, "variant": _VARIANT, "product": _PRODUCT, "maker": _MAKER}.items()
    for column in columns
)
# The stock is that of the shipping store which the line would come from, as `shop.catalog.stock.allocate_stock` takes
# it whole from one: the first with all of it on the shelf, else the first that may sell so many, else who has most.
# Goods held for the cart's own unfinished payment count as available to it; what its other line of the same variant
# takes (one is a gift, one is not) does not.
_SELECT_LINES = f"""
SELECT {_COLUMNS}, stock.free, stock.most, stock.restock_on,
       (SELECT coalesce(sum(a.quantity), 0)
        FROM orders_order o
        JOIN orders_orderline ol ON ol.order_id = o.id AND ol.variant_id = line.variant_id
        JOIN orders_allocation a ON a.order_line_id = ol.id AND a.released_at IS NULL AND a.consumed_at IS NULL
        WHERE o.cart_id = line.cart_id AND o.status = 'pending'),
       twin.quantity,
       (SELECT quantity_limit FROM orders_shopsettings),
       (SELECT json_object_agg(r.store_id, r.on_hand - r.allocated + coalesce((
                   SELECT sum(a.quantity)
                   FROM orders_order o
                   JOIN orders_orderline ol ON ol.order_id = o.id
                   JOIN orders_allocation a ON a.order_line_id = ol.id AND a.record_id = r.id
                   WHERE o.cart_id = line.cart_id AND o.status = 'pending'
                       AND a.released_at IS NULL AND a.consumed_at IS NULL), 0))
        FROM catalog_stockrecord r
        WHERE r.variant_id = variant.id
            AND r.store_id IN (SELECT m.store_id FROM orders_shippingmethod m WHERE m.is_active))
FROM orders_cartline line
JOIN catalog_variant variant ON variant.id = line.variant_id
JOIN catalog_product product ON product.id = variant.product_id
LEFT JOIN catalog_maker maker ON maker.id = product.maker_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.quantity), 0) AS quantity FROM orders_cartline t
    WHERE t.cart_id = line.cart_id AND t.variant_id = line.variant_id AND t.id <> line.id
) twin
LEFT JOIN LATERAL (
    SELECT r.on_hand - r.allocated AS free, max(r.on_hand - r.allocated + r.backorder_limit) OVER () AS most,
           CASE WHEN r.restock_on >= current_date THEN r.restock_on END AS restock_on
    FROM catalog_stockrecord r JOIN catalog_store s ON s.id = r.store_id AND s.ships_orders
    WHERE r.variant_id = variant.id
    ORDER BY r.on_hand - r.allocated < line.quantity + twin.quantity,
             least(r.on_hand - r.allocated + r.backorder_limit, line.quantity + twin.quantity) DESC,
             s.position, r.store_id LIMIT 1
) stock ON true
WHERE line.cart_id = %(cart)s ORDER BY line.created_at, line.id
"""  # noqa: S608  (names of ours; values travel as parameters)
_LINES = PreparedStatement(_SELECT_LINES)
_CART = [field.attname for field in Cart._meta.concrete_fields]  # noqa: SLF001
_SELECT_CART = f"SELECT {', '.join(_CART)} FROM orders_cart"  # noqa: S608  (names of ours)
_CART_OF_VISITOR = PreparedStatement(f"{_SELECT_CART} WHERE token = %(token)s AND customer_id IS NULL")
_CART_OF_CUSTOMER = PreparedStatement(f"{_SELECT_CART} WHERE customer_id = %(customer)s")
_LOCK = PreparedStatement("SELECT id FROM orders_cart WHERE id = %(cart)s FOR UPDATE")
_LOCK_OF_VISITOR = PreparedStatement(
    "SELECT id FROM orders_cart WHERE token = %(token)s AND customer_id IS NULL FOR UPDATE"
)
_LOCK_OF_CUSTOMER = PreparedStatement("SELECT id FROM orders_cart WHERE customer_id = %(customer)s FOR UPDATE")
_ADD = PreparedStatement("""
INSERT INTO orders_cartline (cart_id, variant_id, is_gift, quantity, created_at)
VALUES (%(cart)s, %(variant)s, %(is_gift)s, %(quantity)s, %(now)s)
ON CONFLICT (cart_id, variant_id, is_gift) DO UPDATE SET quantity = orders_cartline.quantity + EXCLUDED.quantity
RETURNING id, quantity
""")
# What the transactions of adding something and of checking out run of these.
FOR_ADDING = (_LINES, _LOCK_OF_VISITOR, _LOCK_OF_CUSTOMER, _ADD)
FOR_CHECKOUT = (_LOCK, _LINES)


def read_cart_lines(cart_id: int) -> list[CartLine]:
    """Each line with all that a page or a checkout needs of it; one query."""
    return [_make_line(iter(row)) for row in _LINES.fetch_rows({"cart": cart_id})]


def find_cart_of_visitor(token: str) -> Cart | None:
    return next((_make_cart(row) for row in _CART_OF_VISITOR.fetch_rows({"token": token})), None)


def find_cart_of_customer(customer_id: int) -> Cart | None:
    return next((_make_cart(row) for row in _CART_OF_CUSTOMER.fetch_rows({"customer": customer_id})), None)


def _make_cart(row: Sequence[Any]) -> Cart:
    return Cart.from_db(DEFAULT_DB_ALIAS, _CART, row)


def lock_cart(cart_id: int) -> bool:
    """Whether the cart is there; its row stays locked until the transaction ends."""
    return bool(_LOCK.fetch_rows({"cart": cart_id}))


def lock_cart_of_visitor(token: str) -> int | None:
    """The same, by its token: the cart's id; None where there is none."""
    return next((pk for (pk,) in _LOCK_OF_VISITOR.fetch_rows({"token": token})), None)


def lock_cart_of_customer(customer_id: int) -> int | None:
    """The same for a customer's cart."""
    return next((pk for (pk,) in _LOCK_OF_CUSTOMER.fetch_rows({"customer": customer_id})), None)


def add_quantity(cart_id: int, variant_id: int, *, quantity: int, is_gift: bool) -> tuple[int, int]:
    """The id of the line of that kind, made where there is none, and how many it is now. Under the cart's lock."""
    values = {"cart": cart_id, "variant": variant_id, "quantity": quantity, "is_gift": is_gift}
    [(line_id, count)] = _ADD.fetch_rows(values | {"now": timezone.now()})
    return line_id, count


def _make_line(row: Iterator[Any]) -> CartLine:
    line, variant = _take_model(CartLine, _LINE, row), _take_model(Variant, _VARIANT, row)
    product, maker = _take_model(Product, _PRODUCT, row), _take_model(Maker, _MAKER, row)
    line.variant, variant.product = variant, product
    product.maker = maker if product.maker_id else None
    line.stock_now = LineStock(*islice(row, 3))
    line.reserved_count, line.other_line_count, line.quantity_limit, by_store = row
    line.stock_by_store = by_store or {}
    return line


def _take_model(model: type[Row], columns: Sequence[str], row: Iterator[Any]) -> Row:
    return model.from_db(DEFAULT_DB_ALIAS, columns, list(islice(row, len(columns))))
