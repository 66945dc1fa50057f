"""The states of an outgoing mail while workers reach for it: each step is one statement, in autocommit.

A claim only reserves: a lease on the database's time, and a token that every later step must still hold. The last
question before a hand-off asks the whole gate again: of one mail in the statement that takes the step
(`begin_sending`), or of several together (`find_permitted`), each of which then takes the step alone
(`begin_permitted`).
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from typing import Any
from weakref import WeakSet

from django.conf import settings
from django.db import connection

from notifications.frequency_caps import CAPS, LAST_OF_TOPIC
from notifications.gate import ITEM_REFUSALS, REFUSALS, build_condition, build_reason
from notifications.models import SkipReason
from notifications.suppressions import get_hmac_pads
from shop.advisory_locks import AdvisoryLock, hold_session_lock, to_lock_part, try_session_lock

SLOTS = 2  # so that a mail server that hangs never holds up every background worker
MOST_UNANSWERED = 3  # hand-offs of one order mail that may each have arrived; then staff look
LONGEST_PAUSE_SECONDS = 3600
GIVE_UP_AFTER_DAYS = 5

# One order's mails go in their order: none is taken while an earlier one waits. Whoever died while handing over order
# mail leaves it to be taken again, under the same Message-ID, and it counts as a hand-off without an answer;
# promotional mail is never taken from "sending".
# What is due is found once, before: as a condition of the update it may be looked for anew at each row, and since each
# look skips what was taken, one claim would then take all there is.
_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT e.id FROM notifications_outgoingemail e
        WHERE {which} AND e.due_at <= clock_timestamp()
          AND NOT EXISTS (
            SELECT 1 FROM notifications_outgoingemail earlier
            WHERE earlier.order_id = e.order_id AND earlier.created_at < e.created_at
              AND earlier.state IN ('queued', 'claimed', 'sending'))
        ORDER BY e.due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
    UPDATE notifications_outgoingemail mail SET
        state = 'claimed', claim_token = %(token)s, due_at = clock_timestamp() + %(lease)s * interval '1 second',
        unanswered_count = unanswered_count + CASE WHEN state = 'sending' THEN 1 ELSE 0 END
    FROM due WHERE mail.id = due.id
    RETURNING mail.id"""
_CLAIM_ORDINARY = _CLAIM.format(which="e.state IN ('queued', 'claimed', 'sending') AND NOT e.kind = 'promotional'")
_CLAIM_PROMOTIONAL = _CLAIM.format(
    which="e.state IN ('queued', 'claimed', 'sending') AND e.kind = 'promotional' AND e.state <> 'sending'"
)

_AS_SENT = "state = 'sent', sent_at = clock_timestamp(), claim_token = NULL, last_error = ''"

# Mail `e` is still this claim's ($2), and nothing is in its way: all that the gate asks.
_IS_HELD = "e.claim_token = $2 AND e.state IN ('claimed', 'sending') AND e.due_at > clock_timestamp()"
# One look at its items: true when there is one and none is refused. As a scalar, which the planner never turns into a
# join that reads the items of every mail there is.
_STANDS = f"""NOT {build_condition((*REFUSALS, *CAPS)) % {"outer": "$3", "inner": "$4"}}
      AND (SELECT bool_and(NOT {build_condition(ITEM_REFUSALS)})
           FROM notifications_outgoingitem i WHERE i.email_id = e.id AND NOT i.is_dropped)"""  # noqa: S608

# The statement that begins one mail also records the one before as sent, so that a mail takes a single statement;
# nothing slow lies between the two.
_BEGIN = f"""
    WITH sent AS (
        UPDATE notifications_outgoingemail SET {_AS_SENT} WHERE id = {{sent}} AND state <> 'sent')
    UPDATE notifications_outgoingemail e SET
        state = 'sending', subject = {{subject}},
        attempt_count = attempt_count + CASE WHEN state = 'claimed' THEN 1 ELSE 0 END,
        due_at = clock_timestamp() + {{lease}} * interval '1 second'
    WHERE e.id = $1 AND {_IS_HELD}"""  # noqa: S608

# Planned once per connection: planning costs more than running them.
_PREPARATIONS = (
    f"""PREPARE mail_ask (uuid[], uuid, bytea, bytea) AS
        SELECT e.id FROM notifications_outgoingemail e WHERE e.id = ANY($1) AND {_IS_HELD} AND {_STANDS}""",  # noqa: S608
    f"""PREPARE mail_begin (uuid, uuid, bytea, bytea, text, double precision, uuid) AS
        {_BEGIN.format(subject="$5", lease="$6", sent="$7")} AND {_STANDS}""",
    f"""PREPARE mail_begin_permitted (uuid, uuid, text, double precision, uuid) AS
        {_BEGIN.format(subject="$3", lease="$4", sent="$5")}""",
)
_prepared: WeakSet[Any] = WeakSet()  # connections that know them

_DROP_WITHDRAWN = f"""
    UPDATE notifications_outgoingitem i SET
        is_dropped = true, drop_reason = {build_reason(ITEM_REFUSALS)}
    FROM notifications_outgoingemail e
    WHERE e.id = %(id)s AND e.claim_token = %(token)s AND i.email_id = e.id AND NOT i.is_dropped
      AND {build_condition(ITEM_REFUSALS)}
    RETURNING i.id"""  # noqa: S608

_CHECK = f"""
    SELECT {build_reason((*REFUSALS, *CAPS))}
    FROM notifications_outgoingemail e
    WHERE e.id = %(id)s AND e.claim_token = %(token)s
      AND e.state IN ('claimed', 'sending') AND e.due_at > clock_timestamp()"""  # noqa: S608


def claim_due_mail(token: uuid.UUID, *, limit: int) -> list[uuid.UUID]:
    """Reserves what is due, essential and service mail first. A claim whose lease ran out is due again."""
    values: dict[str, Any] = {"token": token, "lease": settings.MAIL_LEASE_SECONDS, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_ORDINARY, values)
        ids = [row[0] for row in cursor.fetchall()]
        if len(ids) < limit:
            cursor.execute(_CLAIM_PROMOTIONAL, {**values, "limit": limit - len(ids)})
            ids += [row[0] for row in cursor.fetchall()]
    return ids


def find_permitted(email_ids: Sequence[uuid.UUID], token: uuid.UUID) -> set[uuid.UUID]:
    """Those of the mails in whose way nothing is at the moment of this statement. Takes no step."""
    if not email_ids:
        return set()
    pads = get_hmac_pads()
    with _prepared_cursor() as cursor:
        cursor.execute(
            "EXECUTE mail_ask (%s::uuid[], %s, %s, %s)", (list(email_ids), token, pads["outer"], pads["inner"])
        )
        return {row[0] for row in cursor.fetchall()}


def begin_sending(email_id: uuid.UUID, token: uuid.UUID, *, subject: str, sent_id: uuid.UUID | None = None) -> bool:
    """The last question. True: at the moment of this statement all of it stood, and the mail is now being sent.

    `sent_id`: the mail before, which the server has taken; recorded whatever the answer.
    """
    pads = get_hmac_pads()
    values = (email_id, token, pads["outer"], pads["inner"], subject[:200], settings.MAIL_LEASE_SECONDS, sent_id)
    with _prepared_cursor() as cursor:
        cursor.execute("EXECUTE mail_begin (%s, %s, %s, %s, %s, %s, %s)", values)
        return int(cursor.rowcount) == 1


def begin_permitted(email_id: uuid.UUID, token: uuid.UUID, *, subject: str, sent_id: uuid.UUID | None = None) -> bool:
    """The same step for a mail that `find_permitted` has just permitted. Asks only whether the claim still holds."""
    values = (email_id, token, subject[:200], settings.MAIL_LEASE_SECONDS, sent_id)
    with _prepared_cursor() as cursor:
        cursor.execute("EXECUTE mail_begin_permitted (%s, %s, %s, %s, %s)", values)
        return int(cursor.rowcount) == 1


@contextmanager
def _prepared_cursor() -> Iterator[Any]:
    with connection.cursor() as cursor:
        if connection.connection not in _prepared:
            for statement in _PREPARATIONS:
                cursor.execute(statement)
            _prepared.add(connection.connection)
        yield cursor


def drop_withdrawn_items(email_id: uuid.UUID, token: uuid.UUID) -> set[int]:
    """Drops the items that no longer stand, each with the reason. Returns their ids."""
    with connection.cursor() as cursor:
        cursor.execute(_DROP_WITHDRAWN, {"id": email_id, "token": token})
        return {row[0] for row in cursor.fetchall()}


def check_claim(email_id: uuid.UUID, token: uuid.UUID) -> SkipReason | bool:
    """Whether the claim still holds; the reason when the whole mail has lost its ground."""
    with connection.cursor() as cursor:
        cursor.execute(_CHECK, {"id": email_id, "token": token, **get_hmac_pads()})
        row = cursor.fetchone()
    if row is None:
        return False
    return SkipReason(row[0]) if row[0] else True


def mark_mail_sent(email_id: uuid.UUID) -> None:
    """The mail server has it. True whoever holds the claim by now, so no token is asked for."""
    _execute_update(
        f"UPDATE notifications_outgoingemail SET {_AS_SENT} WHERE id = %(id)s AND state <> 'sent'",  # noqa: S608
        {"id": email_id},
    )


def skip_mail(email_id: uuid.UUID, token: uuid.UUID, reason: SkipReason) -> bool:
    """Whether it was still this claim's to skip."""
    return _finish_claim(email_id, token, "state = 'skipped', skip_reason = %(reason)s", reason=reason) == 1


def hold_mail_until(email_id: uuid.UUID, token: uuid.UUID, *, until: datetime) -> None:
    """Its reader wants it later. Nothing was handed over, and it counts as no attempt."""
    _finish_claim(email_id, token, "state = 'queued', due_at = %(until)s", until=until)


def hold_mail_for_month(email_id: uuid.UUID, token: uuid.UUID) -> None:
    """Until a month after the last letter of its topic."""
    last = LAST_OF_TOPIC.format(
        customer="notifications_outgoingemail.customer_id", topic="notifications_outgoingemail.topic"
    )
    _finish_claim(email_id, token, f"state = 'queued', due_at = {last} + interval '1 month'")


def mark_mail_failed(email_id: uuid.UUID, token: uuid.UUID, *, error: str) -> None:
    _finish_claim(email_id, token, "state = 'failed', last_error = %(error)s", error=error)


def mark_uncertain(email_id: uuid.UUID, token: uuid.UUID, *, error: str) -> None:
    """Nobody knows whether it arrived, and it is not sent twice: staff decide."""
    _finish_claim(email_id, token, "state = 'uncertain', last_error = %(error)s", error=error)


def retry_or_mark_uncertain(email_id: uuid.UUID, token: uuid.UUID, *, error: str) -> None:
    """No answer came, so it may have arrived: tried again under the same Message-ID, a few times, then staff decide."""
    parked = _finish_claim(
        email_id,
        token,
        "state = 'uncertain', last_error = %(error)s, unanswered_count = unanswered_count + 1",
        only="AND unanswered_count + 1 >= %(most)s",
        error=error,
        most=MOST_UNANSWERED,
    )
    if not parked:
        postpone_mail(email_id, token, error=error, unanswered=1)


def postpone_mail(email_id: uuid.UUID, token: uuid.UUID, *, error: str, after: int = 0, unanswered: int = 0) -> None:
    """Tries again after a pause that doubles with each attempt; gives up after some days.

    `after`: how many attempts came to nothing before a hand-off, where those are counted elsewhere. `unanswered`: how
    many more hand-offs had no answer.
    """
    _finish_claim(
        email_id,
        token,
        """last_error = %(error)s, unanswered_count = unanswered_count + %(unanswered)s,
           state = CASE WHEN created_at < clock_timestamp() - %(days)s * interval '1 day'
                        THEN 'failed' ELSE 'queued' END,
           due_at = clock_timestamp() + interval '1 second' * LEAST(
               %(longest)s, %(retry)s * power(2, LEAST(GREATEST(attempt_count, %(after)s, 1), 20) - 1))""",
        error=error,
        after=after,
        unanswered=unanswered,
        days=GIVE_UP_AFTER_DAYS,
        longest=LONGEST_PAUSE_SECONDS,
        retry=settings.MAIL_RETRY_SECONDS,
    )


def release_claims(email_ids: Sequence[uuid.UUID], token: uuid.UUID, *, pause_seconds: float = 0) -> None:
    """Gives back what was claimed and of which nothing was handed over."""
    _execute_update(
        """UPDATE notifications_outgoingemail SET
               state = 'queued', claim_token = NULL, due_at = clock_timestamp() + %(pause)s * interval '1 second'
           WHERE id = ANY(%(ids)s) AND claim_token = %(token)s
             AND state IN ('claimed', 'sending')""",
        {"ids": list(email_ids), "token": token, "pause": pause_seconds},
    )


def mark_abandoned_uncertain() -> int:
    """Mail whose worker died while handing it over: promotional at once, any other after as many times as it may."""
    return _execute_update(
        """UPDATE notifications_outgoingemail SET
               state = 'uncertain', claim_token = NULL, last_error = 'The worker handing it over died.',
               unanswered_count = unanswered_count + 1
           WHERE state = 'sending' AND due_at < clock_timestamp()
             AND (kind = 'promotional' OR unanswered_count + 1 >= %(most)s)""",
        {"most": MOST_UNANSWERED},
    )


@contextmanager
def delivery_slot() -> Iterator[bool]:
    """One of a few places to deliver from. The database frees it when the worker dies."""
    with ExitStack() as stack:
        slots = (try_session_lock(AdvisoryLock.MAIL_SLOT, number) for number in range(SLOTS))
        yield any(stack.enter_context(each) for each in slots)


def customer_lock(customer_id: int) -> AbstractContextManager[None]:
    """Holds up other workers who are about to begin a mail to the same customer, so that a ceiling is never passed."""
    return hold_session_lock(AdvisoryLock.MAIL_CUSTOMER, to_lock_part(customer_id))


def _finish_claim(email_id: uuid.UUID, token: uuid.UUID, changes: str, *, only: str = "", **values: Any) -> int:
    return _execute_update(
        f"UPDATE notifications_outgoingemail SET {changes}, claim_token = NULL"  # noqa: S608
        f" WHERE id = %(id)s AND claim_token = %(token)s AND state IN ('claimed', 'sending') {only}",
        {"id": email_id, "token": token, **values},
    )


def _execute_update(statement: str, values: dict[str, Any] | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
