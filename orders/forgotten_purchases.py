"""“Forget what I bought so far”: orders stay, being contracts; one purpose stops reading them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType

from django.db import transaction
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Customer, ForgottenPast
from accounts.models.ask import UNDO_FOR
from accounts.people.customers import lock_customer
from orders.models import OrderLine
from orders.models.order_line import build_forgotten_filter
from shop.personal_data import StoredDataWording
from shop.registry import Registry

WORDING = StoredDataWording(
    "Forget what I bought so far",
    "You bought 1 thing that this reads while it is on.",
    "You bought {} things that this reads while it is on.",
    "Done: this reads them no more. Your orders are still there.",
    f"This takes {{}} from this feature. For {UNDO_FOR.days} days you can undo it here; after that nobody can bring it "
    "back. What you buy from now on is read again while the switch is on. Your orders stay.",
    "Undone. What you bought counts again as before, while the switch is on.",
)


@dataclass(frozen=True)
class PurchaseReader:
    """A purpose that reads `lines` of a customer's own, now or once they are delivered, and the words of its button."""

    lines: Q
    wording: StoredDataWording


_readers = Registry[PurchaseReader]("The reader of purchases")


def register_purchase_reader(purpose_key: str, lines: Q, *, wording: StoredDataWording = WORDING) -> None:
    """Called from the `AppConfig.ready` of an app above this one, which gets ready before it."""
    _readers.add(purpose_key, PurchaseReader(lines, wording))


def get_purchase_readers() -> Mapping[str, PurchaseReader]:
    """By purpose key."""
    return MappingProxyType(_readers)


def count_readable_purchases(customer: Customer) -> dict[str, int]:
    """By purpose, how many things the customer bought that it may read, or could if it were allowed. One query."""
    own = OrderLine.objects.steering().filter(order__customer=customer)
    counts = {key: Count("pk", filter=each.lines & ~Q(build_forgotten_filter(key))) for key, each in _readers.items()}
    return own.aggregate(**counts)


def held_dates(customer: Customer) -> dict[str, tuple[datetime, datetime]]:
    """By purpose, when the first and the last was bought of what `count_stored_rows` counts. One query."""
    own = OrderLine.objects.steering().filter(order__customer=customer)
    bought_at = Coalesce("order__placed_at", "order__created_at")
    ends: dict[str, Min | Max] = {}
    for key, reader in _readers.items():
        ends[f"{key}_first"] = Min(bought_at, filter=reader.lines & ~Q(build_forgotten_filter(key)))
        ends[f"{key}_last"] = Max(bought_at, filter=reader.lines & ~Q(build_forgotten_filter(key)))
    found = own.aggregate(**ends)
    return {key: (found[f"{key}_first"], found[f"{key}_last"]) for key in _readers if found[f"{key}_first"]}


@transaction.atomic
def forget_purchases(customer: Customer, purpose_key: str, *, until: datetime | None = None) -> int:
    """Shuts everything bought until then, or until now, off from the purpose; what was shut off stays so.

    Returns how many lines it could have read. Safe to run twice: what was told for that very moment stands, or was
    taken back, and stays so.
    """
    lock_customer(customer)
    moment = until or timezone.now()
    told = customer.forgotten_pasts.filter(purpose=purpose_key)
    reach = _reach([past for past in told if past.taken_back_at is None])
    if (reach is not None and reach >= moment) or any(past.before_at == moment for past in told):
        return 0
    before = count_readable_purchases(customer)[purpose_key]
    past = ForgottenPast.objects.create(customer=customer, purpose=purpose_key, after_at=reach, before_at=moment)
    past.line_count = before - count_readable_purchases(customer)[purpose_key]
    past.save(update_fields=["line_count"])
    return past.line_count


def _reach(standing: Iterable[ForgottenPast]) -> datetime | None:
    """Up to when everything is forgotten from the beginning on, without a gap; None when nothing is."""
    reach: datetime | None = None
    for past in sorted(standing, key=attrgetter("before_at")):
        if past.after_at is None or (reach is not None and past.after_at <= reach):
            reach = past.before_at if reach is None else max(reach, past.before_at)
    return reach
