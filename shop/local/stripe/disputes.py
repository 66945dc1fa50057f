"""What a cardholder's bank says: disputes, inquiries, early fraud warnings. https://docs.stripe.com/disputes"""

from typing import Any

from shop.local.stripe import payment_objects
from shop.local.stripe.account import StripeAccount
from shop.local.stripe.errors import RefusalError, make_invalid_param_error
from shop.local.stripe.store import StoredObject

# Which status may follow which. An inquiry (`warning_…`) takes no money; it may become a dispute.
_NEXT_STATUSES = {
    "warning_needs_response": ("warning_under_review", "warning_closed", "needs_response"),
    "warning_under_review": ("warning_closed", "needs_response"),
    "needs_response": ("under_review", "won", "lost"),
    "under_review": ("needs_response", "won", "lost"),
    "won": (),
    "lost": (),
    "warning_closed": (),
}
_FIRST_STATUSES = ("needs_response", "warning_needs_response")
_CLOSED_STATUSES = frozenset(status for status, following in _NEXT_STATUSES.items() if not following)


def open_dispute(account: StripeAccount, charge_id: str, given: dict[str, Any]) -> dict[str, Any]:
    """`given`: any of amount, reason, status. A dispute takes its amount at once; an inquiry takes nothing."""
    status = given.get("status", "needs_response")
    if status not in _FIRST_STATUSES:
        raise make_invalid_param_error(f"A dispute begins as {' or '.join(_FIRST_STATUSES)}", "status")
    with account.store.transaction():
        charge = _get_succeeded_charge(account, charge_id)
        dispute = payment_objects.make_dispute(
            now=account.now(),
            charge=charge.body,
            amount=given.get("amount", charge.body["amount"]),
            reason=given.get("reason", "fraudulent"),
            status=status,
        )
        account.store.add(dispute, parent=charge.id)
        stored = account.get("dispute", dispute["id"])
        charge.body["disputed"] = True
        account.store.save(charge)
        account.emit("charge.dispute.created", stored.body, chain=_get_dispute_chain(charge))
        if status == "needs_response":
            _move_funds(account, stored, charge, -dispute["amount"], "funds_withdrawn")
        return stored.body


def change_dispute(account: StripeAccount, identifier: str, *, status: str, won: int = 0) -> dict[str, Any]:
    """What follows: evidence given, won (the money comes back), lost, an inquiry closed or become a dispute.

    `won`: what comes back of one that is lost, as of a dispute over money of which a part was refunded before.
    """
    with account.store.transaction():
        stored = account.get("dispute", identifier)
        before = stored.body["status"]
        if status not in _NEXT_STATUSES[before]:
            raise make_invalid_param_error(f"A dispute that is {before} cannot become {status}", "status")
        charge = account.get("charge", stored.body["charge"])
        stored.body |= {"status": status, "is_charge_refundable": status.startswith("warning_")}
        account.store.save(stored)
        comes_back = stored.body["amount"] if status == "won" else won
        if comes_back:
            _move_funds(account, stored, charge, comes_back, "funds_reinstated")
        elif before.startswith("warning_") and status == "needs_response":
            _move_funds(account, stored, charge, -stored.body["amount"], "funds_withdrawn")
        verb = "closed" if status in _CLOSED_STATUSES else "updated"
        account.emit(f"charge.dispute.{verb}", stored.body, chain=_get_dispute_chain(charge))
        return stored.body


def create_fraud_warning(account: StripeAccount, charge_id: str, given: dict[str, Any]) -> dict[str, Any]:
    """The card's issuer thinks the payment may be fraud; no money moves."""
    with account.store.transaction():
        charge = _get_succeeded_charge(account, charge_id)
        kind = given.get("fraud_type", "unauthorized_use_of_card")
        warning = payment_objects.make_early_fraud_warning(now=account.now(), charge=charge.body, fraud_type=kind)
        account.store.add(warning, parent=charge.id)
        account.emit("radar.early_fraud_warning.created", warning, chain=_get_dispute_chain(charge))
        return warning


def check_charge_is_refundable(account: StripeAccount, charge: StoredObject) -> None:
    """Raises Stripe's refusal while the bank holds the money, and for ever once it kept it."""
    for dispute in account.store.children(charge.id, "dispute"):
        if not dispute["is_charge_refundable"] and dispute["status"] != "won":
            raise RefusalError(
                f"Charge {charge.id} has been charged back; cannot issue a refund.",
                code="charge_disputed",
                executed=True,
            )


def _get_succeeded_charge(account: StripeAccount, charge_id: str) -> StoredObject:
    charge = account.get("charge", charge_id)
    if charge.body["status"] != "succeeded":
        raise make_invalid_param_error("Only a successful charge is disputed.", "charge")
    return charge


def _move_funds(account: StripeAccount, stored: StoredObject, charge: StoredObject, amount: int, what: str) -> None:
    entry = payment_objects.make_balance_transaction(now=account.now(), source=stored.body, amount=amount)
    account.store.add(entry)
    stored.body["balance_transactions"].append(entry)
    account.store.save(stored)
    account.emit(f"charge.dispute.{what}", stored.body, chain=_get_dispute_chain(charge))


def _get_dispute_chain(charge: StoredObject) -> str:
    return charge.parent or charge.id
