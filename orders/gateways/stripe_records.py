"""What happened to money at Stripe, whoever did it: charges, refunds, disputes, early fraud warnings, and the events
that tell of them. Reads only. No models: plain values out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from orders.gateways.stripe import StripeEventData, get_client, read_metadata, translate_errors

PAGE_SIZE = 100  # Stripe's most
CHARGE, REFUND, DISPUTE, WARNING = "charge", "refund", "dispute", "warning"
KINDS = (CHARGE, REFUND, DISPUTE, WARNING)


@dataclass(frozen=True)
class StripeItem:
    """A charge, refund, dispute or early fraud warning as Stripe shows it now.

    `amount`: in the currency's smallest unit; 0 for a warning. `status`, `reason`: in Stripe's words. `asked_at`: when
    Stripe was asked, so that of two answers the later one counts. `is_money`: False for a charge that never succeeded.
    """

    kind: str
    reference: str
    charge: str
    payment_intent: str
    amount: int
    currency: str
    status: str
    reason: str
    created_at: datetime
    asked_at: datetime
    problem: str = ""
    is_money: bool = True
    is_refundable: bool = True
    due_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


def fetch_item(kind: str, reference: str) -> StripeItem:
    """Raises `StripeRefused` when the Stripe account has no such thing, `StripeUnreachable` without an answer."""
    asked_at = timezone.now()
    with translate_errors():
        return _parse_item(kind, _get_service(kind).retrieve(reference), asked_at)


def list_items(kind: str, *, since: datetime | None = None, **filters: str) -> Iterator[StripeItem]:
    """Those made since then, or those that `filters` name (`payment_intent`, `charge`); the newest first."""
    params: dict[str, Any] = {"limit": PAGE_SIZE, **filters}
    if since is not None:
        params["created"] = {"gte": int(since.timestamp())}
    asked_at = timezone.now()
    with translate_errors():
        for found in _get_service(kind).list(params).auto_paging_iter():
            yield _parse_item(kind, found, asked_at)


def list_events(since: datetime, *, kinds: list[str]) -> Iterator[StripeEventData]:
    """Stripe's own list, whether or not they were ever delivered; as far as it goes back. The newest first."""
    params: dict[str, Any] = {"created": {"gte": int(since.timestamp())}, "types": kinds, "limit": PAGE_SIZE}
    with translate_errors():
        for found in get_client().v1.events.list(params).auto_paging_iter():  # type: ignore[arg-type]
            yield StripeEventData(found.id, found.type, str(getattr(found.data.object, "id", "")), found.created)


def _get_service(kind: str) -> Any:
    v1 = get_client().v1
    return {CHARGE: v1.charges, REFUND: v1.refunds, DISPUTE: v1.disputes, WARNING: v1.radar.early_fraud_warnings}[kind]


def _parse_item(kind: str, made: Any, asked_at: datetime) -> StripeItem:
    return StripeItem(
        kind=kind,
        reference=made.id,
        payment_intent=_get_id(getattr(made, "payment_intent", None)),
        created_at=datetime.fromtimestamp(made.created, UTC),
        asked_at=asked_at,
        metadata=read_metadata(made),
        **_PARSERS[kind](made),
    )


def _parse_charge(made: Any) -> dict[str, Any]:
    return {
        "charge": made.id,
        "amount": made.amount_captured,
        "currency": made.currency.upper(),
        "status": made.status,
        "reason": made.description or "",
        "is_money": made.status == "succeeded" and made.captured,
    }


def _parse_refund(made: Any) -> dict[str, Any]:
    return {
        "charge": _get_id(made.charge),
        "amount": made.amount,
        "currency": made.currency.upper(),
        "status": made.status or "",
        "reason": made.reason or "",
        "problem": getattr(made, "failure_reason", None) or "",
    }


def _parse_dispute(made: Any) -> dict[str, Any]:
    due = made.evidence_details.due_by if made.evidence_details else None
    return {
        "charge": _get_id(made.charge),
        "amount": _lost_amount(made) if made.status == "lost" else made.amount,
        "currency": made.currency.upper(),
        "status": made.status,
        "reason": made.reason,
        "is_refundable": bool(made.is_charge_refundable),
        "due_at": datetime.fromtimestamp(due, UTC) if due else None,
    }


def _lost_amount(made: Any) -> int:
    """What a lost dispute cost: Stripe calls “lost” too what was won in part, and gives that part back to us. The sums
    it moved say so, unless they are in another currency.
    """
    moved = [entry.amount for entry in made.balance_transactions if entry.currency == made.currency]
    return -sum(moved) if moved else int(made.amount)


def _parse_warning(made: Any) -> dict[str, Any]:
    status = "actionable" if made.actionable else "not actionable"
    return {"charge": _get_id(made.charge), "amount": 0, "currency": "", "status": status, "reason": made.fraud_type}


_PARSERS = {CHARGE: _parse_charge, REFUND: _parse_refund, DISPUTE: _parse_dispute, WARNING: _parse_warning}


def _get_id(value: Any) -> str:
    """The id of something that Stripe gives as an id, or whole when it was asked to."""
    return str(getattr(value, "id", value) or "")
