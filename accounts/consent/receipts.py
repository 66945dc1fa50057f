"""What the ledger can show its customer: every answer, the state on any past day, and a receipt to keep."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.consent import checkpoints, purposes
from accounts.models import ConsentPayload, Customer, Wording

SCHEMA = "ISO/IEC TS 27560:2023"


@dataclass(frozen=True)
class SwitchState:
    """How one switch stood at a moment. `answer` is None when it had never been answered, which is a no.

    `is_resting`: a yes that did not count because the whole personal shopper was off.
    """

    title: str
    granted: bool
    is_resting: bool
    answer: ConsentPayload | None


def get_consent_answers(customer: Customer) -> QuerySet[ConsentPayload]:
    """Every answer of the customer, the newest first, with its link of the chain."""
    return customer.consent_payloads.select_related("record").order_by("-record__sequence")


def get_switch_states_at(customer: Customer, moment: datetime) -> list[SwitchState]:
    """What the customer had allowed at a moment: every switch answered by then, and every one there is today."""
    last = get_consent_answers(customer).filter(answered_at__lte=moment).order_by("purpose", "-record__sequence")
    known = {answer.purpose: answer for answer in last.distinct("purpose")}
    words = get_wordings_by_hash(known.values())
    keys = [*known, *(purpose.key for purpose in purposes.PURPOSES if purpose.key not in known)]
    master = known.get(purposes.PERSONAL_SHOPPER.key)
    is_off = master is not None and not master.granted
    return [_make_switch_state(key, known.get(key), words, is_off=is_off) for key in sorted(keys, key=_get_sort_key)]


def get_switch_states_on(customer: Customer, day: date) -> list[SwitchState]:
    """What the customer had allowed when that day ended in the shop's time zone."""
    return get_switch_states_at(customer, timezone.make_aware(datetime.combine(day, time.max)))


def _make_switch_state(
    key: str, answer: ConsentPayload | None, words: dict[str, Wording], *, is_off: bool
) -> SwitchState:
    said_yes = answer is not None and answer.granted
    is_resting = said_yes and is_off and key in purposes.UNDER_MASTER
    return SwitchState(_get_switch_title(key, answer, words), said_yes and not is_resting, is_resting, answer)


def get_wordings_by_hash(of: Any) -> dict[str, Wording]:
    """The words behind some answers, by hash."""
    return Wording.objects.in_bulk({answer.wording_hash for answer in of})


def _get_switch_title(key: str, answer: ConsentPayload | None, words: dict[str, Wording]) -> str:
    if answer is not None and answer.wording_hash in words:
        return words[answer.wording_hash].title
    return purposes.get_purpose(key).title if purposes.is_purpose(key) else key


def _get_sort_key(key: str) -> tuple[int, str]:
    order = [purpose.key for purpose in purposes.PURPOSES]
    return (order.index(key) if key in order else len(order), key)


def make_consent_receipt(customer: Customer, *, controller: dict[str, str], privacy_url: str) -> dict[str, Any]:
    """The consent receipt: the customer's whole ledger as JSON, its fields named as in ISO/IEC TS 27560.

    `chain_head` seals all of it: whoever keeps this file can later show that no answer in it was changed.
    `latest_checkpoint` seals everybody's, as the shop wrote it down outside its database.
    """
    rows = list(get_consent_answers(customer).order_by("record__sequence"))
    words = get_wordings_by_hash(rows)
    return {
        "schema_version": SCHEMA,
        "record_id": str(customer.chain),
        "issued_at": timezone.now().isoformat(),
        "pii_principal_id": customer.email or customer.external_reference,
        "pii_controller": controller,
        "privacy_notice": privacy_url,
        "chain_head": bytes(rows[-1].record.head).hex() if rows else None,
        "latest_checkpoint": _describe_latest_checkpoint(),
        "events": [_make_receipt_event(row, words.get(row.wording_hash)) for row in rows],
    }


def _describe_latest_checkpoint() -> dict[str, str] | None:
    made = checkpoints.get_latest_checkpoint()
    if made is None:
        return None
    return {"file": made.file_name, "sha256": made.sha256, "made_at": made.made_at.isoformat()}


def _make_receipt_event(row: ConsentPayload, words: Wording | None) -> dict[str, Any]:
    return {
        "event_id": row.record.sequence,
        "event_time": row.answered_at.isoformat(),
        "event_type": "explicit",
        "event_state": "given" if row.granted else "withdrawn",
        "lawful_basis": "consent",
        "purpose": row.purpose,
        "purpose_description": words.explanation if words else None,
        "title": words.title if words else None,
        "pii_information": words.reads if words else None,
        "service": words.gives if words else None,
        "wording_version": row.wording_version,
        "wording_sha256": row.wording_hash,
        "collection_method": row.source,
        "validity": "until withdrawn",
        "record_head": bytes(row.record.head).hex(),
    }
