"""Every address of the shop with something real behind it, and what the database looks like to a byte."""

from collections.abc import Iterator
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import Address
from accounts.people import tokens
from orders.models import Order
from shop import personal_data
from tests import builders, cast

# Visits write these on purpose: who is here, what customers allow us to note, that a question was put to them, and
# which of us looked at whom.
WRITTEN_BY_LOOKING = {
    "django_session",
    "accounts_accesslogentry",
    "accounts_accesslogrecord",
    "accounts_ask",
    "accounts_interest",
    "recommendations_effect",
} | {
    apps.get_model(label)._meta.db_table
    for holding in personal_data.get_holdings()
    for label in holding.models
    if holding.noted_for
}


@dataclass(frozen=True)
class Furnished:
    """A shop with one of everything."""

    order: Order
    visitor: Client
    customer: Client
    staff: Client

    @property
    def everybody(self) -> dict[str, Client]:
        return {"a visitor": self.visitor, "a customer": self.customer, "staff": self.staff}


def furnish() -> Furnished:
    builders.shipping_method()
    builders.tax_rate()
    item = builders.product("Tin mug", slug="tin-mug", sizes=("S", "L")).variants.first()
    alice = cast.alice()
    order = builders.placed_order(item, customer=alice)
    Address.objects.create(
        customer=alice, full_name="Alice", line1="1 Quay", city="Whitby", postcode="YO21", country="GB"
    )
    people = []
    for user in (None, alice.user, cast.sam()):
        client = Client()
        client.raise_request_exception = False
        if user:
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
            client.force_login(user)
        client.post("/cart/lines/", {"variant": item.pk}, follow=True)
        people.append(client)
    return Furnished(order, *people)


def paths(furnished: Furnished) -> list[str]:
    """Each pattern once, with something real (or, for keys of links, something false) in its places."""
    pk = str(furnished.order.pk)
    known = {
        "slug": ["tin-mug", "socks"],
        "number": [furnished.order.number],
        "token": [tokens.sign_token("no-such-kind", number=furnished.order.number)],
        "line_id": ["1"],
        "pk": [str(Address.objects.get().pk)],
        "key": ["newsletter"],
        "name": ["tin-mug.svg"],
        "object_id": [pk],
        "app_label": ["orders"],
        "content_type_id": ["1"],
        "uidb36": ["1"],
        "url": ["orders/order/"],
    }
    found: list[str] = []
    for pattern in _patterns(get_resolver()):
        found += _filled(pattern, known)
    return sorted(set(found))


def _patterns(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        route = before + str(each.pattern).lstrip("^").replace("\\Z", "").rstrip("$")
        if isinstance(each, URLResolver):
            yield from _patterns(each, route)
        elif isinstance(each, URLPattern):
            yield route


def _filled(route: str, known: dict[str, list[str]]) -> list[str]:
    from re import sub

    named = sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", route)
    ways = max((len(known.get(name, [""])) for name in known if f"{name}>" in named), default=1)

    def value(place: int):
        return lambda match: known.get(match[1], ["x"])[min(place, len(known.get(match[1], ["x"])) - 1)]

    return ["/" + sub(r"<(?:\w+:)?(\w+)>", value(place), named).replace("\\", "") for place in range(ways)]


def fingerprint() -> dict[str, str]:
    """Every table of ours, by a digest of its rows. One question for all of them."""
    digest = "SELECT '{0}', md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM \"{0}\" t"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(digest.format(table) for table in _tables()))
        return dict(cursor.fetchall())


def changed(before: dict[str, str]) -> list[str]:
    return [table for table, digest in fingerprint().items() if digest != before[table]]


class Watch:
    """Tells what changed since it began. The rows are read again only when PostgreSQL counted a write at all.

    Within one transaction, as in a test that is rolled back.
    """

    def __init__(self) -> None:
        self._before, self._write_count = fingerprint(), write_count()

    def changed(self) -> list[str]:
        if write_count() == self._write_count:
            return []
        found, self._write_count = changed(self._before), write_count()
        return found


def write_count() -> int:
    """Rows of ours written in this transaction, taken back ones included."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables WHERE relname = ANY(%s)",
            [_tables()],
        )
        return int(cursor.fetchone()[0])


def _tables() -> list[str]:
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    return sorted(tables - WRITTEN_BY_LOOKING)
