"""What a shelf is. Each is declared beside the function that picks for it; `recommendations.picks` lists them.

Pages, previews, the uses of a purpose, what a purpose reads of purchases and the tests all come from the declaration.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from django.db.models import Q

from accounts.models import Customer
from accounts.preferences.interests import Interests
from recommendations.picks.pick import EvidenceSource, Pick
from shop.registry import Registry


class Page(StrEnum):
    """The pages that shelves stand on, by the name of their URL."""

    HOME = "home"
    PRODUCT = "product"
    CART = "cart"
    CHECKOUT = "checkout"
    ACCOUNT = "account"


PERSONAL_PAGES = frozenset({Page.HOME, Page.ACCOUNT})  # those that show whatever shelf of the reader's own names them


class Audience(StrEnum):
    """Whom a shelf is for. Only one for everybody stands without a yes."""

    EVERYBODY = "everybody"
    CUSTOMERS = "customers"
    VISITORS = "visitors"


@dataclass(frozen=True)
class ShelfPurpose:
    """A switch that changes what stands on a shelf.

    `off`, `on`: what a preview says in the shelf's place, with the switch off, and with it on and nothing to show.
    `purchases`: which of the customer's own purchases are read for it; None where it reads none.
    `follows`: the kind of datum that its picks name (`Pick.because`); what each did is noted then.
    """

    key: str
    off: str
    on: str
    purchases: Q | None = None
    follows: EvidenceSource | None = None


@dataclass(frozen=True)
class ShelfReader:
    """Whom a page is made for. `granted`: what they allow. `viewed`: what a visitor opened, as far as they let us."""

    customer: Customer | None
    granted: Collection[str]
    told: Interests
    viewed: Sequence[int] = ()

    def leave_out(self, product_ids: Iterable[int]) -> "ShelfReader":
        """The same reader, to whom these products are not shown."""
        hidden = self.told.hidden
        hidden = replace(hidden, product_ids=hidden.product_ids.union(product_ids))
        return replace(self, told=replace(self.told, hidden=hidden))


@dataclass(frozen=True)
class Shelf:
    """One shelf. `ways`: how things come to it; its title must be true of each.

    `pages`: where it stands, first the one on which its switch is previewed. `plain_title`: stands instead where the
    title would say too much. `note`: a sentence under the title. `link`: the name of a URL that says more, perhaps with
    an #anchor, and `link_text`.
    `pick`: for a shelf of the reader's own, at most so many picks. A shelf for everybody has none: its page's functions
    fill all of those together, in as few queries as they can.
    """

    key: str
    title: str
    pages: tuple[Page, ...]
    ways: frozenset[str]
    audience: Audience = field(default=Audience.EVERYBODY, kw_only=True)
    stands_on: tuple[ShelfPurpose, ...] = field(default=(), kw_only=True)
    pick: Callable[[ShelfReader, int], list[Pick]] | None = field(default=None, kw_only=True)
    plain_title: str = field(default="", kw_only=True)
    note: str = field(default="", kw_only=True)
    link: str = field(default="", kw_only=True)
    link_text: str = field(default="", kw_only=True)

    @property
    def purposes(self) -> tuple[str, ...]:
        """The switches that change what stands on it."""
        return tuple(each.key for each in self.stands_on)

    @property
    def titles(self) -> frozenset[str]:
        return frozenset({self.title, self.plain_title}) - {""}

    @property
    def is_personal(self) -> bool:
        return self.audience is not Audience.EVERYBODY

    def is_for(self, reader: ShelfReader) -> bool:
        """Whether it is a shelf of this reader's own."""
        return self.audience is (Audience.VISITORS if reader.customer is None else Audience.CUSTOMERS)


_shelves = Registry[Shelf]("The shelf")
SHELVES: Mapping[str, Shelf] = MappingProxyType(_shelves)


def register_shelves(*shelves: Shelf) -> None:
    """In the order in which a page shows them. Raises RegisteredTwiceError when a key is taken."""
    for shelf in shelves:
        _shelves.add(shelf.key, shelf)


def list_personal_shelves(page: Page, reader: ShelfReader) -> list[Shelf]:
    """The reader's own shelves on a page, in the page's order."""
    return [shelf for shelf in SHELVES.values() if page in shelf.pages and shelf.is_for(reader)]
