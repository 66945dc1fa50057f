"""Handing mail over, each with the gate's permission at that very moment.

A batch claim only reserves. Each mail is then written, and within half a second before its hand-off the gate is asked
whether all it stands on still stands (`notifications.permissions`). What takes longer asks again, last of all when the
mail server is ready for the content. So nothing begins later than a second after a "no".
"""

import logging
import time
import uuid
from functools import partial

from django.conf import settings

from notifications import claims, digest, lengths
from notifications.frequency_caps import CAPS
from notifications.models import OutgoingEmail, SkipReason, Suppression
from notifications.permissions import ClaimPermissions, SendPermission
from notifications.render_batch import load_email_contexts
from notifications.rendering import render_email
from notifications.topics.definition import EmailContext
from shop import mail
from shop.mail import MailConnection, SendOutcome, SendResult
from shop.retrying import loops
from shop.retrying.loops import Loop

BATCH = 100
RUN_SECONDS = 20  # then the next tick goes on
HAND_OFF_SECONDS = 20  # promised: never over 30
MOST_REWRITES = 5
STUCK_LIMIT = 2  # hand-offs in a row without any answer: leave the server alone until the next tick
UNREACHABLE_PAUSE_SECONDS = 10
FREQUENCY_REASONS = frozenset(reason for reason, _ in CAPS)
WAITING = (OutgoingEmail.State.QUEUED, OutgoingEmail.State.CLAIMED, OutgoingEmail.State.SENDING)
logger = logging.getLogger(__name__)

WRITING = loops.register_loop(
    Loop(
        "mail",
        "A mail that could not be written",
        "It is tried again by itself, for some days. If what it tells is urgent, write to the customer yourself.",
        model="notifications.outgoingemail",
    )
)


def deliver_due_mail() -> int:
    """Hands over what is due, until nothing is or the run has lasted long enough. Returns how many were sent."""
    claims.mark_abandoned_uncertain()
    with claims.delivery_slot() as is_free:
        return _deliver_batches() if is_free else 0


def _deliver_batches() -> int:
    sent_count = 0
    ends_at = time.monotonic() + RUN_SECONDS
    with MailConnection(
        seconds=min(HAND_OFF_SECONDS, settings.EMAIL_TIMEOUT, settings.MAIL_LEASE_SECONDS * 0.8)
    ) as line:
        while time.monotonic() < ends_at:
            token = uuid.uuid4()
            ids = claims.claim_due_mail(token, limit=BATCH)
            if not ids:
                break
            batch = DeliveryBatch(line, token, _load_or_postpone(ids, token))
            sent_count += batch.deliver()
            if batch.is_given_up:
                break
    WRITING.forget_settled(OutgoingEmail.objects.filter(state__in=WAITING))
    return sent_count


class DeliveryBatch:
    """Some claimed mails on their way over one line."""

    def __init__(self, line: MailConnection, token: uuid.UUID, letters: list[EmailContext]) -> None:
        self.line = line
        self.token = token
        self.letters = letters
        self.is_given_up = False
        self._permissions = ClaimPermissions(token, letters)
        self._stuck_count = 0
        self._ahead: dict[uuid.UUID, mail.Message | Exception | None] = {}

    def deliver(self) -> int:
        try:
            return self._deliver()
        finally:
            self._permissions.record_sent()

    def _deliver(self) -> int:
        sent_count = 0
        for place, letter in enumerate(self.letters):
            following = self.letters[place + 1] if place + 1 < len(self.letters) else None
            try:
                result = self._deliver_one(letter, following)
            except Exception as error:
                logger.exception("Mail %s (%s) could not be handed over", letter.email.pk, letter.email.topic)
                self._finish_after_error(letter, error)
                continue
            sent_count += result is not None and result.outcome is SendOutcome.SENT
            if result is not None and self._is_server_away(result):
                self._give_up(self.letters[place:], result)
                break
        return sent_count

    def _deliver_one(self, letter: EmailContext, following: EmailContext | None) -> SendResult | None:
        """None when it was not this worker's to hand over, or nothing was left of it.

        While the server takes this mail in, the following one is written.
        """
        for _ in range(MOST_REWRITES):
            message = self._take_message(letter)
            if message is None:
                return None
            if not self.line.is_open:
                self._permissions.record_sent()  # connecting may take long
            may_begin = SendPermission(self._permissions, letter, subject=message.subject)
            result = self.line.hand_off(message, may_begin=may_begin, meanwhile=partial(self._render_ahead, following))
            if result.outcome is not SendOutcome.NOT_BEGUN:
                self._apply_result(letter, result)
                return result
            if not self._drop_withdrawn_items(letter):
                return None
        claims.postpone_mail(letter.email.pk, self.token, error="Its permissions kept changing.")
        return None

    def _finish_after_error(self, letter: EmailContext, error: Exception) -> None:
        """Something broke under way: nobody knows how far the mail came, and promotional mail is not sent twice."""
        if letter.topic.is_promotional:
            claims.mark_uncertain(letter.email.pk, self.token, error=f"Broken off: {type(error).__name__}"[:300])
        else:
            _postpone_unwritable(letter.email.pk, self.token, error)

    def _take_message(self, letter: EmailContext) -> mail.Message | None:
        """The message; None when nothing is left to say, and then the mail is skipped."""
        email_id = letter.email.pk
        message = self._ahead.pop(email_id) if email_id in self._ahead else _try_render(letter)
        if isinstance(message, Exception):
            _postpone_unwritable(email_id, self.token, message)
            return None
        if message is None:
            claims.drop_withdrawn_items(email_id, self.token)  # so that staff read what it was that fell
            claims.skip_mail(email_id, self.token, letter.reason_to_skip)
        elif letter.topic.is_promotional and lengths.measure_message(message) > lengths.MOST_BYTES:
            claims.mark_mail_failed(
                email_id, self.token, error=f"Not sent: {lengths.describe_size(lengths.measure_message(message))}"
            )
            return None
        return message

    def _render_ahead(self, letter: EmailContext | None) -> None:
        if letter is not None:
            self._ahead = {letter.email.pk: _try_render(letter)}

    def _drop_withdrawn_items(self, letter: EmailContext) -> bool:
        """Permission was refused: drops what no longer stands. False when the mail is not to go at all."""
        held = claims.check_claim(letter.email.pk, self.token)
        if held is False:
            return False
        if held is True or held in FREQUENCY_REASONS:
            fallen = claims.drop_withdrawn_items(letter.email.pk, self.token)
            letter.drop(fallen)
            if held is True or fallen:
                return True
        if isinstance(held, SkipReason):
            self._skip_or_postpone(letter, held)
        return False

    def _skip_or_postpone(self, letter: EmailContext, reason: SkipReason) -> None:
        """It does not go now: for good, or until its reader wants it."""
        email = letter.email
        if reason is SkipReason.OVER_CEILING and not letter.topic.is_promotional:
            digest.defer_to_digest(email, letter.items, self.token)
        elif reason is SkipReason.TOO_SOON and letter.topic.waits_for_its_month:
            claims.hold_mail_for_month(email.pk, self.token)
        else:
            claims.skip_mail(email.pk, self.token, reason)

    def _apply_result(self, letter: EmailContext, result: SendResult) -> None:
        email_id, token, error = letter.email.pk, self.token, result.detail
        match result.outcome:
            case SendOutcome.SENT:
                self._permissions.note_sent(email_id)
            case SendOutcome.UNKNOWN if letter.topic.is_promotional:
                claims.mark_uncertain(email_id, token, error=error)
            case SendOutcome.UNKNOWN:
                claims.retry_or_mark_uncertain(email_id, token, error=error)
            case SendOutcome.LATER:
                claims.postpone_mail(email_id, token, error=error)
            case SendOutcome.REFUSED:
                claims.mark_mail_failed(email_id, token, error=error)
            case SendOutcome.NO_SUCH_ADDRESS:
                claims.mark_mail_failed(email_id, token, error=error)
                Suppression.objects.bulk_create(
                    [Suppression(address=letter.email.to_address, reason=Suppression.Reason.BOUNCED, detail=error)],
                    ignore_conflicts=True,
                )
        if result.outcome is not SendOutcome.SENT:
            logger.warning("Mail %s (%s): %s", email_id, letter.topic.key, result.outcome)

    def _is_server_away(self, result: SendResult) -> bool:
        self._stuck_count = self._stuck_count + 1 if result.is_stuck else 0
        return result.outcome is SendOutcome.UNREACHABLE or self._stuck_count >= STUCK_LIMIT

    def _give_up(self, rest: list[EmailContext], result: SendResult) -> None:
        """The mail server is away: what has not begun goes back, at nobody's cost."""
        pause = UNREACHABLE_PAUSE_SECONDS if result.outcome is SendOutcome.UNREACHABLE else 0
        claims.release_claims([letter.email.pk for letter in rest], self.token, pause_seconds=pause)
        self.is_given_up = True


def _load_or_postpone(email_ids: list[uuid.UUID], token: uuid.UUID) -> list[EmailContext]:
    """The letters of a batch; one that cannot be read is put off and keeps the others from nothing."""
    try:
        return load_email_contexts(email_ids)
    except Exception:
        logger.exception("A batch of mail could not be read; each is tried alone")
    letters = []
    for email_id in email_ids:
        try:
            letters += load_email_contexts([email_id])
        except Exception as error:  # noqa: BLE001  (written down there)
            _postpone_unwritable(email_id, token, error)
    return letters


def _postpone_unwritable(email_id: uuid.UUID, token: uuid.UUID, error: Exception) -> None:
    """Later and later, with the error on the staff's first page. Raises when the database does not take it down."""
    failed_count = WRITING.record_failure(email_id, error, subject="A mail that could not be written")
    claims.postpone_mail(
        email_id, token, error=f"Could not be written: {type(error).__name__}"[:300], after=failed_count
    )


def _try_render(letter: EmailContext) -> mail.Message | Exception | None:
    """One mail that cannot be written must not hold up the others."""
    try:
        message = render_email(letter)
        if message is not None:
            _ = message.content  # put together here, kept for the hand-off
    except Exception as error:
        logger.exception("Mail %s (%s) could not be written", letter.email.pk, letter.email.topic)
        return error
    return message
