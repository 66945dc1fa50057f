"""Money back, whole or in parts. https://docs.stripe.com/api/refunds"""

from typing import Any

from shop.local.stripe import disputes, money, payment_objects
from shop.local.stripe.account import Account
from shop.local.stripe.checkout import change_metadata
from shop.local.stripe.errors import RefusalError, invalid, no_such, not_simulated
from shop.local.stripe.store import Stored

_SIMULATED = frozenset(["amount", "charge", "expand", "metadata", "payment_intent", "reason"])
_ENDS = ("failed", "canceled")  # the money is the shop's again
_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(account: Account, params: dict[str, Any]) -> dict[str, Any]:
    if set(params) - _SIMULATED:
        raise not_simulated(min(set(params) - _SIMULATED))
    charge = _charge(account, params)
    disputes.refuse_refund_of_disputed(account, charge)
    return _give_back(account, charge, params)


def create_in_dashboard(account: Account, charge_id: str, params: dict[str, Any]) -> dict[str, Any]:
    """What somebody who is signed in at Stripe gives back, without the shop. `params`: amount, reason, metadata."""
    with account.store.transaction():
        return create(account, {**params, "charge": charge_id})


def _give_back(account: Account, charge: Stored, params: dict[str, Any]) -> dict[str, Any]:
    amount = _amount(charge.body, params.get("amount"))
    refund = payment_objects.refund(now=account.now(), charge=charge.body, amount=amount, params=params)
    refund["status"] = account.behaviour.refunds_start
    entry = payment_objects.balance_transaction(now=account.now(), source=refund, amount=-amount)
    refund["balance_transaction"] = entry["id"]
    account.store.add(entry)
    account.store.add(refund, parent=charge.id)
    _move(account, charge, amount)
    account.emit("refund.created", refund, chain=_chain(charge))
    account.emit("charge.refunded", charge.body, chain=_chain(charge))
    return refund


def update(account: Account, params: dict[str, Any], *, identifier: str) -> dict[str, Any]:
    stored = account.get("refund", identifier)
    change_metadata(stored.body, params.get("metadata"))
    account.store.save(stored)
    account.emit("refund.updated", stored.body, chain=stored.parent or "")
    return stored.body


def settle(account: Account, identifier: str, *, status: str) -> dict[str, Any]:
    """What the bank says later: a pending refund arrives, or comes back and counts as not refunded."""
    with account.store.transaction():
        stored = account.get("refund", identifier)
        charge = account.get("charge", stored.body["charge"])
        if stored.body["status"] in _ENDS or status == stored.body["status"]:
            return stored.body
        stored.body["status"] = status
        if status in _ENDS:
            if status == "failed":
                stored.body["failure_reason"] = "expired_or_canceled_card"
            _move(account, charge, -stored.body["amount"])
        account.store.save(stored)
        account.emit("refund.updated", stored.body, chain=_chain(charge))
        account.emit("charge.refund.updated", stored.body, chain=_chain(charge))
        if status == "failed":
            account.emit("refund.failed", stored.body, chain=_chain(charge))
        return stored.body


def _chain(charge: Stored) -> str:
    return charge.parent or charge.id


def _move(account: Account, charge: Stored, amount: int) -> None:
    charge.body["amount_refunded"] += amount
    charge.body["refunded"] = charge.body["amount_refunded"] == charge.body["amount"]
    account.store.save(charge)


def _charge(account: Account, params: dict[str, Any]) -> Stored:
    if ("charge" in params) == ("payment_intent" in params):
        raise RefusalError(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    reason = params.get("reason")
    if reason is not None and reason not in _REASONS:
        raise invalid(f"Invalid reason: must be one of {', '.join(_REASONS)}", "reason")
    if "charge" in params:
        return account.get("charge", params["charge"], param="charge")
    intent = account.get("payment_intent", params["payment_intent"], param="payment_intent").body
    if intent["status"] != "succeeded":
        raise RefusalError(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            param="payment_intent",
            executed=True,
        )
    charge = account.store.find(intent["latest_charge"], "charge")
    if charge is None:
        raise no_such("charge", intent["latest_charge"])
    return charge


def _amount(charge: dict[str, Any], wanted: int | None) -> int:
    left: int = charge["amount"] - charge["amount_refunded"]
    if charge["status"] != "succeeded":
        raise RefusalError(f"This charge ({charge['id']}) has failed and cannot be refunded.", executed=True)
    if left == 0:
        raise RefusalError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", executed=True
        )
    if wanted is None:
        return left
    if wanted < 1:
        raise invalid("Invalid positive integer", "amount", "parameter_invalid_integer")
    if wanted > left:
        raise _too_much(charge, wanted, left)
    money.check(wanted, charge["currency"], "amount")
    return wanted


def _too_much(charge: dict[str, Any], wanted: int, left: int) -> RefusalError:
    """Stripe sends these two messages without a code."""
    currency = charge["currency"]
    whole = left == charge["amount"]
    against = "charge amount" if whole else "unrefunded amount on charge"
    return RefusalError(
        f"Refund amount ({money.words(wanted, currency)}) is greater than {against} ({money.words(left, currency)})",
        param="amount",
        executed=True,
    )
