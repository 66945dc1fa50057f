"""What a buyer says afterwards of a thing they bought: that it was a gift, or that suggestions are to leave it alone.

Either mark takes the line out of `OrderLine.objects.steering()` until it is taken back. The order itself stays as it
is, and nobody is told: it is the buyer's own choice and no news of the order.
"""

from collections.abc import Sequence
from enum import StrEnum

from django.db import transaction

from accounts.privacy import journal
from accounts.privacy.journal import JournalEntry
from orders.locks import lock_order
from orders.models import Order, OrderLine


class LineMark(StrEnum):
    GIFT = "gift"
    EXCLUSION = "exclusion"


FIELDS = {LineMark.GIFT: "is_gift", LineMark.EXCLUSION: "is_excluded"}


@transaction.atomic
def set_mark(order: Order, line_id: int, mark: LineMark, *, is_set: bool) -> OrderLine | None:
    """Sets a mark or takes it back; doing it twice is doing it once. None for a line that is not the order's.

    Written to the journal under the order's lock, so that its last word is what stands.
    """
    lock_order(order.pk)
    line = order.lines.filter(pk=line_id).first()
    if line is not None and getattr(line, FIELDS[mark]) != is_set:
        setattr(line, FIELDS[mark], is_set)
        line.save(update_fields=[FIELDS[mark]])
        journal.line_marked(order.number, line.pk, mark, is_set=is_set)
    return line


def redo_marks(entries: Sequence[JournalEntry]) -> str:
    """A step of `after_restore`: what was marked since the backup, and not unmarked after that, is marked again."""
    last = {
        (entry.order, entry.line, entry.mark): entry.what
        for entry in entries
        if entry.what in (journal.LINE_MARKED, journal.LINE_UNMARKED)
    }
    count = 0
    for (number, line_id, mark), what in last.items():
        if what == journal.LINE_MARKED and mark in FIELDS:
            field = FIELDS[LineMark(mark)]
            unmarked = OrderLine.objects.filter(order__number=number, pk=line_id, **{field: False})
            count += unmarked.update(**{field: True})
    return f"Marked again as gifts, or to be left alone: {count} purchases."
