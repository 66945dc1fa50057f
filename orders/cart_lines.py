"""The lines of a cart with goods and stock, in one plain statement: the ORM took longer to build it than it runs."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from orders.models import CartLine
from orders.models.cart import LineStock
from shop.catalog.models import Maker, Product, Variant
from shop.prepared import PreparedStatement

Row = TypeVar("Row", bound=Model)

# What is read of each, by its alias in the statement; the rest comes when somebody asks for it.
_LINE = ("id", "cart_id", "variant_id", "quantity", "is_gift", "created_at")
_VARIANT = ("id", "product_id", "sku", "size", "colour", "style", "price", "currency", "is_active")
_PRODUCT = (
    "id", "title", "slug", "category_id", "maker_id", "released_on", "is_published", "card_image", "card_alt",
)  # fmt: skip
_MAKER = ("id", "name")
_COLUMNS = ", ".join(
    f"{alias}.{column}"
    for alias, columns in {"line": _LINE, "variant": _VARIANT, "product": _PRODUCT, "maker": _MAKER}.items()
    for column in columns
)
# The stock is that of the shipping store which has the most: a line comes whole from one store.
# Goods held for the cart's own unfinished payment count as available to it; what its other line of the same variant
# takes (one is a gift, one is not) does not.
_SELECT_LINES = f"""
SELECT {_COLUMNS}, stock.free, stock.backorder_limit, stock.restock_on,
       (SELECT coalesce(sum(a.quantity), 0)
        FROM orders_order o
        JOIN orders_orderline ol ON ol.order_id = o.id AND ol.variant_id = line.variant_id
        JOIN orders_allocation a ON a.order_line_id = ol.id AND a.released_at IS NULL AND a.consumed_at IS NULL
        WHERE o.cart_id = line.cart_id AND o.status = 'pending'),
       coalesce((SELECT twin.quantity FROM orders_cartline twin
                 WHERE twin.cart_id = line.cart_id AND twin.variant_id = line.variant_id
                     AND twin.id <> line.id), 0),
       (SELECT quantity_limit FROM orders_shopsettings)
FROM orders_cartline line
JOIN catalog_variant variant ON variant.id = line.variant_id
JOIN catalog_product product ON product.id = variant.product_id
LEFT JOIN catalog_maker maker ON maker.id = product.maker_id
LEFT JOIN LATERAL (
    SELECT r.on_hand - r.allocated AS free, r.backorder_limit, r.restock_on
    FROM catalog_stockrecord r JOIN catalog_store s ON s.id = r.store_id AND s.ships_orders
    WHERE r.variant_id = variant.id
    ORDER BY r.on_hand - r.allocated + r.backorder_limit DESC, s.position, r.store_id LIMIT 1
) stock ON true
WHERE line.{{chosen}} = %(pk)s ORDER BY line.created_at, line.id
"""  # noqa: S608  (names of ours; values travel as parameters)
_OF_CART = PreparedStatement(_SELECT_LINES.format(chosen="cart_id"))
_OF_LINE = PreparedStatement(_SELECT_LINES.format(chosen="id"))


def read_cart_lines(cart_id: int) -> list[CartLine]:
    """Each line with all that a page or a checkout needs of it; one query."""
    return _read_lines(_OF_CART, cart_id)


def read_cart_line(line_id: int) -> CartLine:
    """The same of one line. Raises `ValueError` when it is gone."""
    [line] = _read_lines(_OF_LINE, line_id)
    return line


def _read_lines(statement: PreparedStatement, pk: int) -> list[CartLine]:
    return [_make_line(iter(row)) for row in statement.fetch_rows({"pk": pk})]


def _make_line(row: Iterator[Any]) -> CartLine:
    line, variant = _take_model(CartLine, _LINE, row), _take_model(Variant, _VARIANT, row)
    product, maker = _take_model(Product, _PRODUCT, row), _take_model(Maker, _MAKER, row)
    line.variant, variant.product = variant, product
    product.maker = maker if product.maker_id else None
    line.stock_now = LineStock(*islice(row, 3))
    line.reserved_count, line.other_line_count, line.quantity_limit = row
    return line


def _take_model(model: type[Row], columns: Sequence[str], row: Iterator[Any]) -> Row:
    return model.from_db(DEFAULT_DB_ALIAS, columns, list(islice(row, len(columns))))
