"""The gate's permission to hand a mail over: good for half a second of the monotonic clock, then it is asked for again.

The next few mails of a claim are asked about in one question. Whatever of them has not begun when the half second is
over is asked about anew; what was refused, or must not be asked about beside others, is asked about alone.
"""

import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import nullcontext

from notifications import claims
from notifications.topics.definition import EmailContext

PERMISSION_SECONDS = 0.5
ASKED_TOGETHER = 25  # some 50 ms of mail for a server nearby


class SendPermission:
    """The permission for one mail, renewed as often as it has grown old. Called by the line before each step."""

    def __init__(self, permissions: "ClaimPermissions", letter: EmailContext, *, subject: str) -> None:
        self._permissions = permissions
        self._letter = letter
        self._subject = subject
        self._asked_at = float("-inf")

    def __call__(self) -> bool:
        while _is_old(self._asked_at):
            asked_at = self._permissions.begin(self._letter, subject=self._subject)
            if asked_at is None:
                return False
            self._asked_at = asked_at
        return True


class ClaimPermissions:
    """What the gate says of the mails of one claim, and which of them is being sent."""

    def __init__(self, token: uuid.UUID, letters: Sequence[EmailContext]) -> None:
        self._token = token
        self._letters = letters
        self._places = {letter.email.pk: place for place, letter in enumerate(letters)}
        self._asked: set[uuid.UUID] = set()
        self._permitted: set[uuid.UUID] = set()
        self._asked_at = float("-inf")
        self._unrecorded: uuid.UUID | None = None  # the mail just taken by the server

    def begin(self, letter: EmailContext, *, subject: str) -> float | None:
        """Marks the mail as being sent. Returns when the gate was asked, None when it or the claim refused."""
        self._ask_ahead(letter)
        email_id, sent_id = letter.email.pk, self._unrecorded
        if email_id in self._permitted:
            self._permitted.discard(email_id)
            asked_at = self._asked_at
            may_begin = claims.begin_permitted(email_id, self._token, subject=subject, sent_id=sent_id)
        else:
            asked_at = time.monotonic()  # before asking: the answer is as old as the question
            customer_id = letter.email.customer_id if letter.is_capped else None
            with claims.customer_lock(customer_id) if customer_id is not None else nullcontext():
                may_begin = claims.begin_sending(email_id, self._token, subject=subject, sent_id=sent_id)
        self._unrecorded = None
        return asked_at if may_begin else None

    def note_sent(self, email_id: uuid.UUID) -> None:
        """The server has taken it: the next mail's beginning records it, or `record_sent`."""
        self._unrecorded = email_id

    def record_sent(self) -> None:
        if self._unrecorded is not None:
            claims.mark_mail_sent(self._unrecorded)
            self._unrecorded = None

    def _ask_ahead(self, letter: EmailContext) -> None:
        """About this mail and the next few, unless that was done and is good still."""
        if letter.email.pk in self._asked and not _is_old(self._asked_at):
            return
        place = self._places[letter.email.pk]
        following = self._letters[place : place + ASKED_TOGETHER]
        self._asked = {each.email.pk for each in following}
        self._asked_at = time.monotonic()
        self._permitted = claims.find_permitted(_list_independent(following), self._token)


def _is_old(asked_at: float) -> bool:
    return time.monotonic() - asked_at > PERMISSION_SECONDS


def _list_independent(letters: Iterable[EmailContext]) -> list[uuid.UUID]:
    """One mail for each customer, and none under a ceiling: what somebody gets may depend on what they just got."""
    independent, customers = [], set()
    for letter in letters:
        customer_id = letter.email.customer_id
        if letter.is_capped or customer_id in customers:
            continue
        if customer_id is not None:
            customers.add(customer_id)
        independent.append(letter.email.pk)
    return independent
