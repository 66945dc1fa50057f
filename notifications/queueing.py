"""Into the outbox: drafts are put to the gate, and become rows that are queued, or skipped with the reason."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from accounts.consent.purposes import MailKind
from accounts.models import Consent
from accounts.preferences import cadence
from accounts.preferences.cadence import Cadence
from notifications import digest, frequency_caps, gate
from notifications.digest import DigestNews
from notifications.gate import Basis, PurposeAnswer
from notifications.models import OutgoingEmail, OutgoingItem, SkipReason
from notifications.topics.definition import BODY, Draft, DraftItem
from orders.models import OrderTick


class BatchAnswers:
    """What the people of a batch have said, and which of its mails do not go whatever they said."""

    def __init__(self, drafts: Sequence[Draft]) -> None:
        self._consents = _read_consents(drafts)
        self._ticks = _read_ticks(drafts)
        refusals = gate.find_refusals([draft.addressee for draft in drafts]) if drafts else []
        self._refusals = {draft.key: refusal for draft, refusal in zip(drafts, refusals, strict=True)}
        customers = {draft.customer.pk for draft in drafts if draft.customer}
        self._cadences = cadence.get_cadences_by_customer(customers) if customers else {}
        self._over_ceiling = frequency_caps.find_customers_over_ceiling(customers) if customers else set()

    def to(self, draft: Draft, purpose: str) -> list[PurposeAnswer]:
        addressee = draft.addressee
        return self._consents[addressee.customer_id, purpose] + self._ticks[addressee.order_id, purpose]

    def get_refusal(self, draft: Draft) -> SkipReason | None:
        return self._refusals[draft.key]

    def is_over_ceiling(self, draft: Draft) -> bool:
        """Whether the customer has had all the mail they want for now. Essential mail is nothing a ceiling counts."""
        return draft.customer is not None and draft.customer.pk in self._over_ceiling

    def gathered(self, draft: Draft) -> Cadence | None:
        """How often the digest comes that this news is to wait for; None when it goes by itself."""
        if draft.topic.kind is not MailKind.SERVICE or draft.customer is None:
            return None
        wanted = self._cadences.get(draft.customer.pk, {}).get(draft.topic.purpose, Cadence.AS_IT_HAPPENS)
        if wanted is Cadence.AS_IT_HAPPENS:
            return Cadence.DAILY if self.is_over_ceiling(draft) else None
        return wanted


def _read_consents(drafts: Sequence[Draft]) -> dict[tuple[int | None, str], list[PurposeAnswer]]:
    found: dict[tuple[int | None, str], list[PurposeAnswer]] = defaultdict(list)
    customers = {draft.customer.pk for draft in drafts if draft.customer}
    rows = Consent.objects.filter(customer__in=customers) if customers else Consent.objects.none()
    for row in rows.values_list("customer_id", "purpose", "granted", "changed_at", "record_id"):
        found[row[0], row[1]].append(PurposeAnswer(row[2], row[3], record_id=row[4]))
    return found


def _read_ticks(drafts: Sequence[Draft]) -> dict[tuple[int | None, str], list[PurposeAnswer]]:
    found: dict[tuple[int | None, str], list[PurposeAnswer]] = defaultdict(list)
    orders = {draft.order.pk for draft in drafts if draft.order}
    rows = OrderTick.objects.filter(order__in=orders) if orders else OrderTick.objects.none()
    for row in rows.values_list("order_id", "purpose", "granted", "changed_at", "id"):
        found[row[0], row[1]].append(PurposeAnswer(row[2], row[3], tick_id=row[4]))
    return found


@transaction.atomic(savepoint=False)
def queue_drafts(drafts: Sequence[Draft], answers: BatchAnswers | None = None) -> list[OutgoingEmail]:
    """Puts drafts to the gate and writes them down; those with a known key were dealt with before and are left out.

    Somebody else may be writing the same ones down this moment: what they were first with is theirs.
    """
    known = set(OutgoingEmail.objects.filter(key__in=[draft.key for draft in drafts]).values_list("key", flat=True))
    fresh = [draft for draft in drafts if draft.key not in known]
    if not fresh:
        return []
    answers = answers or BatchAnswers(fresh)
    rows = _insert_emails([_build_row(draft, answers) for draft in fresh])
    OutgoingItem.objects.bulk_create(item for row in rows for item in row.items)
    digest.gather_into_digests(row.news for row in rows if row.news)
    return [row.email for row in rows]


@dataclass(frozen=True)
class OutgoingRow:
    """A draft as it is written down; `news` when it is to be told in a digest."""

    email: OutgoingEmail
    items: Sequence[OutgoingItem] = ()
    news: DigestNews | None = None


def _insert_emails(rows: Sequence[OutgoingRow]) -> list[OutgoingRow]:
    """Returns those that were not there yet. Two who write the same wait for each other in one order: by the key."""
    emails = sorted((row.email for row in rows), key=lambda email: email.key)
    OutgoingEmail.objects.bulk_create(emails, ignore_conflicts=True)
    ours = set(OutgoingEmail.objects.filter(pk__in=[email.pk for email in emails]).values_list("pk", flat=True))
    return [row for row in rows if row.email.pk in ours]


def _build_row(draft: Draft, answers: BatchAnswers) -> OutgoingRow:
    topic = draft.topic
    email = OutgoingEmail(
        key=draft.key,
        topic=topic.key,
        kind=topic.kind,
        to_address=draft.to_address,
        customer=draft.customer,
        order=draft.order,
        context=draft.context,
    )
    decision = _decide_draft(draft, answers)
    if isinstance(decision, SkipReason):
        email.state, email.skip_reason = OutgoingEmail.State.SKIPPED, decision
        return OutgoingRow(email)
    if wanted := answers.gathered(draft):
        email.state, email.skip_reason = OutgoingEmail.State.SKIPPED, SkipReason.GATHERED
        return OutgoingRow(email, news=DigestNews(email, topic.purpose, decision, wanted))
    items = [_build_item(email, DraftItem(BODY, topic.purpose, topic.kind), decision)]
    for part in draft.items:
        items.append(
            _build_item(email, part, gate.find_legal_basis(part.kind, answers.to(draft, part.purpose)), len(items))
        )
    if sum(not item.is_dropped for item in items[1:]) < topic.fewest_things:
        email.state, email.skip_reason = OutgoingEmail.State.SKIPPED, SkipReason.TOO_FEW
        return OutgoingRow(email)
    return OutgoingRow(email, items)


def _decide_draft(draft: Draft, answers: BatchAnswers) -> Basis | SkipReason:
    if refusal := answers.get_refusal(draft):
        return refusal
    decision = gate.find_legal_basis(draft.topic.kind, answers.to(draft, draft.topic.purpose))
    if isinstance(decision, Basis) and draft.topic.is_promotional and answers.is_over_ceiling(draft):
        return SkipReason.OVER_CEILING
    return decision


def _build_item(email: OutgoingEmail, part: DraftItem, decision: Basis | SkipReason, position: int = 0) -> OutgoingItem:
    item = OutgoingItem(
        email=email,
        block=part.block,
        purpose=part.purpose,
        product_id=part.product_id,
        why=part.why,
        position=position,
    )
    if isinstance(decision, SkipReason):
        item.is_dropped, item.drop_reason = True, decision
        return item
    item.is_essential = decision.is_essential
    item.consent_record_id = decision.record_id
    item.order_tick_id = decision.tick_id
    item.stands_since_at = decision.given_at
    return item
