"""Who looked at whose data: each look by staff at a customer, or at an order of theirs, is written down here.

The customer reads it on their own page. An entry holds who looked, at what and why; never what was seen or typed.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import AccessKind, AccessLogEntry, AccessLogRecord, Customer, User
from accounts.models.access_record import ACCESS_RETENTION

ABOUT_ACCOUNT = "Your account"
LONGEST_NUMBER, LONGEST_ABOUT, LONGEST_DETAIL = 40, 80, 200  # letters kept

# One statement for a whole page of people, the roles of whoever looks included.
_INSERT_ENTRIES = """
    INSERT INTO accounts_accesslogentry (
        staff_id, staff_name, staff_role, customer_id, order_number, kind, about, detail, once, at)
    SELECT %(staff)s, %(name)s,
        CASE WHEN %(is_owner)s THEN 'owner' ELSE COALESCE((
            SELECT left(string_agg(replace(g.name, 'Staff: ', ''), ', ' ORDER BY g.name), 200)
            FROM accounts_user_groups m JOIN auth_group g ON g.id = m.group_id WHERE m.user_id = %(staff)s), '') END,
        seen.customer_id, seen.order_number, %(kind)s, seen.about, %(detail)s, seen.once, %(at)s
    FROM unnest(%(customers)s::bigint[], %(numbers)s::text[], %(abouts)s::text[], %(onces)s::text[])
        AS seen (customer_id, order_number, about, once)
    ON CONFLICT (once) DO NOTHING"""


@dataclass(frozen=True)
class DataSubject:
    """Whose data was looked at: a customer's, or a guest's, who is known by the order alone."""

    customer_id: int | None
    order_number: str = ""
    about: str = ABOUT_ACCOUNT

    @property
    def is_somebody(self) -> bool:
        return bool(self.customer_id or self.order_number)

    @property
    def key(self) -> str:
        return f"c{self.customer_id}" if self.customer_id else f"o{self.order_number[:LONGEST_NUMBER]}"


def log_access(staff_user: User, customer_id: int | None, *, what: AccessKind, detail: str = "") -> None:
    """Writes one look at a customer's account. `detail` is the reason, and is read by the customer."""
    log_access_to_subjects(staff_user, [DataSubject(customer_id)], what=what, detail=detail)


def log_access_to_subjects(
    staff_user: User, subjects: Iterable[DataSubject], *, what: AccessKind, detail: str = ""
) -> None:
    """Writes a look at each subject, in one statement. Whoever is neither a customer nor has an order is left out.

    A list counts once a day for each member of staff and each subject; everything else counts each time.
    """
    seen = [subject for subject in dict.fromkeys(subjects) if subject.is_somebody]
    if seen:
        _insert_entries(staff_user, seen, what=what, detail=detail)


def log_empty_result(staff_user: User, about: str, *, what: AccessKind, asked: str) -> None:
    """Writes that a list or a search showed nobody: asked often enough, such answers spell somebody out.

    `asked`: how the list was narrowed; a list narrowed alike counts once a day, a search each time. It is not kept.
    """
    digest = hashlib.blake2s(f"{about} {asked}".encode(), digest_size=12).hexdigest()
    _insert_entries(staff_user, [DataSubject(None, about=about)], what=what, once_key=digest)


def _insert_entries(
    staff_user: User, seen: list[DataSubject], *, what: AccessKind, detail: str = "", once_key: str = ""
) -> None:
    today = timezone.localdate().isoformat()
    is_list = what == AccessKind.LIST
    values: dict[str, Any] = {
        "staff": staff_user.pk,
        "name": staff_user.first_name,
        "is_owner": staff_user.is_superuser,
        "kind": what.value,
        "detail": detail[:LONGEST_DETAIL],
        "at": timezone.now(),
        "customers": [subject.customer_id for subject in seen],
        "numbers": [subject.order_number[:LONGEST_NUMBER] for subject in seen],
        "abouts": [subject.about[:LONGEST_ABOUT] for subject in seen],
        "onces": [f"{staff_user.pk}:{once_key or subject.key}:{today}" if is_list else None for subject in seen],
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_ENTRIES, values)


def get_access_log(customer: Customer) -> QuerySet[AccessLogEntry]:
    """Every look at one customer's data, the latest first."""
    return AccessLogEntry.objects.filter(customer=customer)


def assign_guest_entries(customer: Customer, order_numbers: Iterable[str]) -> int:
    """A guest's orders became this customer's: the looks at them did too. Returns how many."""
    unclaimed = AccessLogEntry.objects.filter(customer=None, order_number__in=list(order_numbers))
    return unclaimed.update(customer=customer)


def retire_access_log() -> int:
    """Deletes what is older than the log is kept, and the record of it. Returns how many looks."""
    long_ago = timezone.now() - ACCESS_RETENTION
    count = AccessLogEntry.objects.filter(at__lt=long_ago).delete()[0]
    AccessLogRecord.objects.filter(at__lt=long_ago).delete()
    return count


def mask_email(email: str | None) -> str:
    """An e-mail address as lists show it: enough to recognise one that is known, too little to learn one."""
    found = re.fullmatch(r"(.)[^@]*@(.).*?(\.[^.@]+)?", email or "")
    return f"{found[1]}…@{found[2]}…{found[3] or ''}" if found else ""
