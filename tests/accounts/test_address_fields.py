"""What an address consists of is declared by its model, and told again nowhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import Address
from accounts.models.address import ADDRESS_FIELDS
from accounts.people.address_forms import ADDRESS_LABELS, ADDRESS_WIDGETS, AddressBookForm
from orders.admin.forms import OrderAddressForm
from orders.models import Order
from orders.personal_data import _ORDER_FIELDS
from orders.retention import NOT_ON_AN_INVOICE, ON_AN_INVOICE
from shop.storefront.checkout_form import ADDRESS_ON_PAGE

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("shop", "accounts", "orders", "notifications", "recommendations")
FEW = 3  # so many may stand together without being a list of their own
WORDED = {"accounts/people/address_forms.py"}  # the label of each


def find_lists(source: str) -> Iterator[int]:
    """Lines where a list, tuple, set or text names more than a few of the fields, or a table nearly all of them."""
    for node in ast.walk(ast.parse(source)):
        names: set[str] = set()
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            names = set(find_texts(node.elts))
        elif isinstance(node, ast.Dict) and len(set(find_texts(node.keys)).intersection(ADDRESS_FIELDS)) > 2 * FEW - 1:
            names = set(find_texts(node.keys))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = set(re.findall(r"\w+", node.value))
        if len(names.intersection(ADDRESS_FIELDS)) > FEW:
            yield node.lineno


def find_texts(nodes: list[ast.expr | None]) -> Iterator[str]:
    for node in nodes:
        parts = ast.walk(node) if node is not None and not isinstance(node, ast.Dict) else ()
        yield from (part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))


def test_no_second_list_of_them_is_kept():
    found = {
        str(path.relative_to(ROOT)): lines
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts and (lines := list(find_lists(path.read_text())))
    }
    assert found.keys() == WORDED


@pytest.mark.parametrize(
    "source",
    [
        'FIELDS = ["full_name", "line1", "city", "postcode"]',
        'FIELDS = ("id", *("line1", "line2"), "city", "phone")',
        'PAIRS = (("full_name", 120), ("line1", 120), ("city", 80), ("region", 80))',
        'SEEN = {"line1", "line2", "city", "country"}',
        'SQL = "SELECT full_name, line1, line2, city FROM orders_order"',
        'NAMES = "full_name line1 line2 city".split()',
        'EMPTY = {"full_name": "", "line1": "", "line2": "", "city": "", "region": "", "postcode": ""}',
    ],
)
def test_a_second_list_would_be_found(source):
    assert list(find_lists(source))


def test_an_address_itself_is_no_list():
    assert not list(find_lists('Address(**{"full_name": "Pat", "line1": "1 Row", "city": "Leeds", "country": "GB"})'))


def test_whatever_an_address_has_is_everywhere_an_address_is():
    own = {"id", "customer", "is_default", "created_at"}
    assert {field.name for field in Address._meta.concrete_fields} == {*ADDRESS_FIELDS, *own}
    assert set(ADDRESS_FIELDS) <= {field.name for field in Order._meta.concrete_fields}
    assert set(ADDRESS_FIELDS) == set(ADDRESS_LABELS) == set(ADDRESS_WIDGETS)
    assert tuple(OrderAddressForm.base_fields) == ADDRESS_FIELDS
    assert tuple(AddressBookForm.base_fields) == (*ADDRESS_FIELDS, "is_default")
    assert set(ADDRESS_FIELDS) <= set(_ORDER_FIELDS)
    assert set(ADDRESS_ON_PAGE) == set(ADDRESS_FIELDS)
    assert set(ADDRESS_FIELDS) - {"country"} <= ON_AN_INVOICE.keys() | NOT_ON_AN_INVOICE.keys()
