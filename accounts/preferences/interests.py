"""What customers told us about themselves: keeping it, taking it back, and the one way shelves and mails read it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Model
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Customer, Interest
from accounts.models.interest import KINDS_FOR_SUGGESTIONS
from shop.catalog import category_tree
from shop.catalog.category_tree import CategoryTree
from shop.catalog.models import Category, Maker
from shop.model_rows import list_columns
from shop.prepared import PreparedStatement

Row = TypeVar("Row", bound=Model)
MOST_INTERESTS = 100  # things one customer can tell us

_INTEREST, _MAKER, _CATEGORY = list_columns(Interest), list_columns(Maker), list_columns(Category)
_COLUMNS = ", ".join(
    f"{alias}.{column}"
    for alias, columns in {"told": _INTEREST, "maker": _MAKER, "category": _CATEGORY}.items()
    for column in columns
)
# In plain SQL, since every page of somebody signed in asks it: the ORM took 1.5 ms to build it.
_USABLE = PreparedStatement(
    f"""
SELECT {_COLUMNS}
FROM accounts_interest told
LEFT JOIN catalog_maker maker ON maker.id = told.maker_id
LEFT JOIN catalog_category category ON category.id = told.category_id
WHERE told.customer_id = %(customer)s AND (told.expires_at IS NULL OR told.expires_at > %(now)s)
    AND (told.kind = %(never)s
         OR told.kind = ANY(%(kinds)s) AND coalesce(
             %(supposed)s, EXISTS (SELECT 1 FROM accounts_consent
                                   WHERE customer_id = %(customer)s AND purpose = %(purpose)s AND granted)))
ORDER BY told.told_at DESC, told.id DESC
"""  # noqa: S608  (names of ours; values travel as parameters)
)
_OPPOSITE = {Interest.Kind.SIZE: Interest.Kind.NOT_SIZE, Interest.Kind.NOT_SIZE: Interest.Kind.SIZE}


class TooManyInterests(Exception):  # noqa: N818  (a refusal, not an error)
    """The customer has told us as much as we keep."""


@dataclass(frozen=True)
class Exclusions:
    """What a customer never wants to be shown. `category_ids`: with every department below."""

    product_ids: frozenset[int] = frozenset()
    maker_ids: frozenset[int] = frozenset()
    category_ids: frozenset[int] = frozenset()
    maker_names: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.product_ids or self.maker_ids or self.category_ids)

    def hides(self, product_id: int, *, category_id: int, maker: str | None) -> bool:
        """For a card that is already read. `maker`: the name."""
        return product_id in self.product_ids or category_id in self.category_ids or maker in self.maker_names


@dataclass(frozen=True)
class Interests:
    """`told`: what suggestions may follow, the latest first; empty while its switch is off. `hidden` needs no switch.

    `branches`: by interest, its department with every one below.
    """

    told: tuple[Interest, ...] = ()
    hidden: Exclusions = Exclusions()
    branches: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def sizes_for(self, category_id: int) -> tuple[Interest, ...]:
        """The sizes told for this department; those told for it by name come first."""
        sizes = [each for each in self.told if each.kind == Interest.Kind.SIZE]
        fitting = [each for each in sizes if each.category_id is None or category_id in self.branches[each.pk]]
        return tuple(sorted(fitting, key=lambda each: each.category_id is None))


NO_INTERESTS = Interests()


def get_interests(
    customer: Customer | None, *, tree: Callable[[], CategoryTree] = category_tree.read_category_tree
) -> Interests:
    """What the customer told us, as far as it may be used now: one query, and the tree where departments are named."""
    if customer is None:
        return NO_INTERESTS
    rows = _read_usable(customer)
    if not rows:
        return NO_INTERESTS
    shelves = tree() if any(row.category_id for row in rows) else CategoryTree(())
    branches = {row.pk: frozenset(shelves.subtree_ids(row.category_id)) for row in rows if row.category_id}
    never = [row for row in rows if row.kind == Interest.Kind.NEVER]
    return Interests(tuple(row for row in rows if row.is_for_suggestions), _make_exclusions(never, branches), branches)


def _read_usable(customer: Customer) -> list[Interest]:
    """The latest first, each with its maker and department; what only suggests, with its switch on or supposed on."""
    values = {
        "customer": customer.pk,
        "now": timezone.now(),
        "never": Interest.Kind.NEVER.value,
        "kinds": [kind.value for kind in KINDS_FOR_SUGGESTIONS],
        "supposed": consent.get_supposed_answer(customer, purposes.RECOMMEND_FROM_TOLD),
        "purpose": purposes.RECOMMEND_FROM_TOLD,
    }
    return [_make_interest(iter(row)) for row in _USABLE.fetch_rows(values)]


def _make_interest(row: Iterator[Any]) -> Interest:
    interest = _take_model(Interest, _INTEREST, row)
    maker, category = _take_model(Maker, _MAKER, row), _take_model(Category, _CATEGORY, row)
    interest.maker = maker if interest.maker_id else None
    interest.category = category if interest.category_id else None
    return interest


def _take_model(model: type[Row], columns: list[str], row: Iterator[Any]) -> Row:
    return model.from_db(DEFAULT_DB_ALIAS, columns, list(islice(row, len(columns))))


def _make_exclusions(never: list[Interest], branches: Mapping[int, frozenset[int]]) -> Exclusions:
    return Exclusions(
        product_ids=frozenset(row.product_id for row in never if row.product_id),
        maker_ids=frozenset(row.maker_id for row in never if row.maker_id),
        category_ids=frozenset().union(*(branches.get(row.pk, ()) for row in never)),
        maker_names=frozenset(row.maker.name for row in never if row.maker),
    )


@transaction.atomic
def save_interest(customer: Customer, interest: Interest) -> Interest:
    """Keeps what the customer told, or told differently. The same told twice is kept once. Raises `TooManyInterests`.

    A size is theirs or not: whichever they told last.
    """
    Customer.objects.select_for_update().get(pk=customer.pk)
    interest.customer = customer
    others = customer.interests.exclude(pk=interest.pk)
    if opposite := _OPPOSITE.get(Interest.Kind(interest.kind)):
        others.filter(kind=opposite, category=interest.category_id, words__iexact=interest.words).delete()
    twin = others.filter(
        kind=interest.kind,
        maker=interest.maker_id,
        category=interest.category_id,
        product=interest.product_id,
        words=interest.words,
        falls_on=interest.falls_on,
    ).first()
    if twin is not None:
        if interest.pk:
            interest.delete()
        interest.pk, interest.told_at, interest.last_used_at = twin.pk, twin.told_at, twin.last_used_at
        interest.save(force_update=True)
        return interest
    if interest.pk is None and others.count() >= MOST_INTERESTS:
        raise TooManyInterests
    interest.save()
    return interest


def record_interest_use(interest: Interest) -> None:
    """Notes that what was told was used, once a day, if its switch is on. Not what for: that would be a history."""
    now = timezone.now()
    if consent.is_overlay_active() or (interest.last_used_at and interest.last_used_at.date() == now.date()):
        return
    usable = consent.build_consent_filter(purposes.RECOMMEND_FROM_TOLD)
    Interest.objects.filter(usable, pk=interest.pk).update(last_used_at=now)


def get_end_of_day(day: date) -> datetime:
    """When a day is over: from then on, what was told until that day is no longer kept."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))


def retire_interests() -> int:
    """Deletes what was told for a time that is over; returns the number of rows."""
    return Interest.objects.filter(expires_at__lte=timezone.now()).delete()[0]
