"""Money back, whole or in parts. https://docs.stripe.com/api/refunds"""

from typing import Any

from shop.local.stripe import disputes, money, payment_objects
from shop.local.stripe.account import StripeAccount
from shop.local.stripe.checkout import merge_metadata
from shop.local.stripe.errors import (
    RefusalError,
    make_invalid_param_error,
    make_no_such_object_error,
    make_not_simulated_error,
)
from shop.local.stripe.store import StoredObject

_SIMULATED_PARAMS = frozenset(["amount", "charge", "expand", "metadata", "payment_intent", "reason"])
_FAILED_STATUSES = ("failed", "canceled")  # the money is the shop's again
_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create_refund(account: StripeAccount, params: dict[str, Any]) -> dict[str, Any]:
    if set(params) - _SIMULATED_PARAMS:
        raise make_not_simulated_error(min(set(params) - _SIMULATED_PARAMS))
    charge = _find_charge(account, params)
    disputes.check_charge_is_refundable(account, charge)
    return _refund_charge(account, charge, params)


def create_dashboard_refund(account: StripeAccount, charge_id: str, params: dict[str, Any]) -> dict[str, Any]:
    """What somebody who is signed in at Stripe gives back, without the shop. `params`: amount, reason, metadata."""
    with account.store.transaction():
        return create_refund(account, {**params, "charge": charge_id})


def _refund_charge(account: StripeAccount, charge: StoredObject, params: dict[str, Any]) -> dict[str, Any]:
    amount = _check_refund_amount(charge.body, params.get("amount"))
    refund = payment_objects.make_refund(now=account.now(), charge=charge.body, amount=amount, params=params)
    refund["status"] = account.behaviour.refunds_start
    entry = payment_objects.make_balance_transaction(now=account.now(), source=refund, amount=-amount)
    refund["balance_transaction"] = entry["id"]
    account.store.add(entry)
    account.store.add(refund, parent=charge.id)
    _add_to_refunded_amount(account, charge, amount)
    account.emit("refund.created", refund, chain=_get_refund_chain(charge))
    account.emit("charge.refunded", charge.body, chain=_get_refund_chain(charge))
    return refund


def update_refund(account: StripeAccount, params: dict[str, Any], *, identifier: str) -> dict[str, Any]:
    stored = account.get("refund", identifier)
    merge_metadata(stored.body, params.get("metadata"))
    account.store.save(stored)
    account.emit("refund.updated", stored.body, chain=stored.parent or "")
    return stored.body


def settle_refund(account: StripeAccount, identifier: str, *, status: str) -> dict[str, Any]:
    """What the bank says later: a pending refund arrives, or comes back and counts as not refunded."""
    with account.store.transaction():
        stored = account.get("refund", identifier)
        charge = account.get("charge", stored.body["charge"])
        if stored.body["status"] in _FAILED_STATUSES or status == stored.body["status"]:
            return stored.body
        stored.body["status"] = status
        if status in _FAILED_STATUSES:
            if status == "failed":
                stored.body["failure_reason"] = "expired_or_canceled_card"
            _add_to_refunded_amount(account, charge, -stored.body["amount"])
        account.store.save(stored)
        account.emit("refund.updated", stored.body, chain=_get_refund_chain(charge))
        account.emit("charge.refund.updated", stored.body, chain=_get_refund_chain(charge))
        if status == "failed":
            account.emit("refund.failed", stored.body, chain=_get_refund_chain(charge))
        return stored.body


def _get_refund_chain(charge: StoredObject) -> str:
    return charge.parent or charge.id


def _add_to_refunded_amount(account: StripeAccount, charge: StoredObject, amount: int) -> None:
    charge.body["amount_refunded"] += amount
    charge.body["refunded"] = charge.body["amount_refunded"] == charge.body["amount"]
    account.store.save(charge)


def _find_charge(account: StripeAccount, params: dict[str, Any]) -> StoredObject:
    if ("charge" in params) == ("payment_intent" in params):
        raise RefusalError(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    reason = params.get("reason")
    if reason is not None and reason not in _REASONS:
        raise make_invalid_param_error(f"Invalid reason: must be one of {', '.join(_REASONS)}", "reason")
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
        raise make_no_such_object_error("charge", intent["latest_charge"])
    return charge


def _check_refund_amount(charge: dict[str, Any], wanted: int | None) -> int:
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
        raise make_invalid_param_error("Invalid positive integer", "amount", "parameter_invalid_integer")
    if wanted > left:
        raise _make_too_much_error(charge, wanted, left)
    money.check_amount(wanted, charge["currency"], "amount")
    return wanted


def _make_too_much_error(charge: dict[str, Any], wanted: int, left: int) -> RefusalError:
    """Stripe sends these two messages without a code."""
    currency = charge["currency"]
    whole = left == charge["amount"]
    against = "charge amount" if whole else "unrefunded amount on charge"
    amount, most = money.format_minor_amount(wanted, currency), money.format_minor_amount(left, currency)
    return RefusalError(
        f"Refund amount ({amount}) is greater than {against} ({most})",
        param="amount",
        executed=True,
    )
