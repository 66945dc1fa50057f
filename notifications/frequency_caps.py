"""How often, as the customer asked: the weekly ceiling, and one letter a month, in SQL for hand-off and fan-out.

Essential mail is never counted and never held. A mail counts from the moment its hand-off begins. `e` is the mail in
question; for `LAST_OF_TOPIC` its customer and topic are given by name.
"""

from collections.abc import Iterable

from django.db import connection

from notifications.models import SkipReason

CEILING_DAYS = 7

_HANDED_OFF = "(o.state = 'sending' OR o.state IN ('sent', 'uncertain'))"
_HANDED_OFF_AT = "COALESCE(o.sent_at, o.due_at)"

# Whether a customer, of whom `f` is the profile, has had all the mail of seven days that they want.
_HAS_HAD_ALL = f"""f.weekly_ceiling <= (
        SELECT count(*) FROM (
            SELECT 1 FROM notifications_outgoingemail o
            WHERE o.customer_id = f.customer_id AND {{others}} AND o.kind <> 'essential' AND {_HANDED_OFF}
              AND {_HANDED_OFF_AT} > clock_timestamp() - interval '{CEILING_DAYS} days'
            LIMIT f.weekly_ceiling) had)"""  # noqa: S608

# For whoever set no ceiling it costs one look.
_OVER_CEILING = f"""EXISTS (
    SELECT 1 FROM accounts_preferenceprofile f WHERE f.customer_id = {{customer}} AND {_HAS_HAD_ALL})"""  # noqa: S608
ALL_OVER_CEILING = f"""
    SELECT f.customer_id FROM accounts_preferenceprofile f WHERE {_HAS_HAD_ALL.format(others="true")}"""  # noqa: S608
_OVER_CEILING_OF_MAIL = (
    f"(e.kind <> 'essential' AND {_OVER_CEILING.format(customer='e.customer_id', others='o.id <> e.id')})"
)
_OVER_CEILING_OF_CUSTOMER = _OVER_CEILING.format(customer="who.id", others="true")

# The reader wants this letter once a month.
_MONTHLY = """(e.kind = 'promotional' AND EXISTS (
    SELECT 1 FROM accounts_mailcadence m
    JOIN notifications_outgoingitem b ON b.email_id = e.id AND b.block = 'body' AND b.purpose = m.purpose
    WHERE m.customer_id = e.customer_id AND m.cadence = 'monthly') AND EXISTS (
    SELECT 1 FROM notifications_outgoingemail o
    WHERE o.customer_id = e.customer_id AND o.topic = e.topic AND o.id <> e.id AND {what}))"""
_LATELY = f"{_HANDED_OFF} AND {_HANDED_OFF_AT} > clock_timestamp() - interval '1 month'"
_NEWER = "o.created_at > e.created_at AND o.state IN ('queued', 'claimed', 'sending', 'sent', 'uncertain')"

OVER_CEILING: tuple[SkipReason, str] = (SkipReason.OVER_CEILING, _OVER_CEILING_OF_MAIL)
# Why a mail does not go now, as rules of the gate. Of what waits for its month to come round, only the newest goes.
CAPS = (
    OVER_CEILING,
    (SkipReason.OVERTAKEN, _MONTHLY.format(what=_NEWER)),
    (SkipReason.TOO_SOON, _MONTHLY.format(what=_LATELY)),
)

# When the last letter of a topic went to a customer; null when none ever did.
LAST_OF_TOPIC = f"""(
    SELECT max({_HANDED_OFF_AT}) FROM notifications_outgoingemail o
    WHERE o.customer_id = {{customer}} AND o.topic = {{topic}} AND {_HANDED_OFF})"""  # noqa: S608


def find_customers_over_ceiling(customer_ids: Iterable[int]) -> set[int]:
    """Those of the customers who have had all the mail of these seven days that they want. One query."""
    statement = f"SELECT who.id FROM unnest(%s::bigint[]) AS who(id) WHERE {_OVER_CEILING_OF_CUSTOMER}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(customer_ids)])
        return {row[0] for row in cursor.fetchall()}
