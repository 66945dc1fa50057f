"""Where the page's dates are counted to: the country that was chosen in cart or checkout, else the customer's first
address, else the shop's own country. Never guessed from where a request comes from.

The session keeps the country alone; the address travels in the statement that reads who is signed in. Nothing here
queries where there is no session yet.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django_countries.fields import Country

from accounts.models import Customer
from orders import pricing
from orders.models import DeliveryZone, ShippingMethod
from orders.shop_terms import Calendar, Terms

COUNTRY_SESSION_KEY = "ships_to"
_asking: ContextVar[HttpRequest | None] = ContextVar("destination", default=None)


@dataclass(frozen=True)
class Destination:
    """`methods`: those that go there, in the shop's order. `abroad`: the country's name, "" in the shop's own.

    `postcode`: of the customer's own address there; "" where none is known. `unserved`: the country's name that it
    would be, if anything went there, and this is the shop's own instead; "" for most.
    """

    country: str
    postcode: str
    calendar: Calendar
    methods: Sequence[ShippingMethod]
    abroad: str = ""
    unserved: str = ""

    @property
    def method(self) -> ShippingMethod | None:
        """The way that cart and checkout start from."""
        return next(iter(self.methods), None)

    @property
    def key(self) -> str:
        """What the days of one moment's terms depend on; nothing in it tells one person from another."""
        method = self.method
        return f"{self.country} {method.pk} {self.calendar.get_zone_days(method)}" if method else self.country

    @property
    def unserved_words(self) -> str:
        """To stand where the days stand, which are another country's than the customer's; empty for most."""
        if not self.unserved:
            return ""
        own = Country(self.country).name
        return f"We do not deliver to {self.unserved} yet. These are the days in our own country, {own}."

    def find_zone(self, terms: Terms) -> DeliveryZone | None:
        """Of the known address; None without one."""
        method = self.method if self.postcode else None
        return terms.find_zone(self.country, self.postcode, method) if method else None


@contextmanager
def ask_for(request: HttpRequest) -> Iterator[None]:
    """Pages written within it speak to whoever sent this request."""
    token = _asking.set(request if settings.SESSION_COOKIE_NAME in request.COOKIES else None)
    try:
        yield
    finally:
        _asking.reset(token)


def find_destination(terms: Terms) -> Destination:
    """Where nothing goes to the address, the country's ordinary days; where nothing goes there at all, the shop's."""
    request = _asking.get()
    country, postcode = _read_wish(request) if request else ("", "")
    own = terms.settings.default_country.code
    for code in dict.fromkeys((postcode, "")) if country else ():
        methods = pricing.list_ways_to_address(terms, country, code)
        if methods:
            abroad = "" if country == own else str(Country(country).name)
            return Destination(country, code, terms.get_calendar(country, code), methods, abroad)
    unserved = str(Country(country).name) if country and country != own else ""
    return Destination(own, "", terms.calendar, terms.domestic_methods, unserved=unserved)


def get_chosen_country(request: HttpRequest) -> str:
    """The one chosen in cart or checkout; empty before one is."""
    return str(request.session.get(COUNTRY_SESSION_KEY, ""))


def remember_country(request: HttpRequest, country: str, *, terms: Terms) -> None:
    """For as long as the session lasts. Writes nothing where pages speak of it already, or nothing goes there."""
    known = get_chosen_country(request) or _read_home(request)[0] or terms.settings.default_country.code
    if country != known and pricing.filter_shipping_methods(terms.methods, country):
        request.session[COUNTRY_SESSION_KEY] = country


def _read_wish(request: HttpRequest) -> tuple[str, str]:
    chosen, home = get_chosen_country(request), _read_home(request)
    return (chosen, "") if chosen and chosen != home[0] else home


def _read_home(request: HttpRequest) -> tuple[str, str]:
    """Makes no customer of a login that has none yet."""
    customer: Customer | None = getattr(request.user, "customer", None)
    return customer.home if customer else ("", "")
