"""What happens to a session when the buyer clicks: paid once, declined, or asked to authenticate.

Each verb runs in one store transaction and looks at the session inside it, so twenty clicks at once, or a
click racing an expiry, make at most one charge.
"""

from enum import Enum
from typing import Any

from shop.local.stripe import checkout, objects, payment_objects
from shop.local.stripe.account import StripeAccount
from shop.local.stripe.store import StoredObject

_DECLINED = {
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "Your card was declined.",
}
_NOT_AUTHENTICATED = {
    "code": "payment_intent_authentication_failure",
    "message": "We are unable to authenticate your payment method. Please choose a different payment method "
    "and try again.",
}
_BANK_FAILED = {
    "code": "payment_intent_payment_attempt_failed",
    "decline_code": "insufficient_funds",
    "message": "The customer's account has insufficient funds to cover this payment.",
}
_GOOD_CARD, _BAD_CARD, _CHALLENGED_CARD = "4242", "0002", "3155"


class PaymentOutcome(Enum):
    PAID = "paid"
    PROCESSING = "processing"
    FAILED = "failed"
    DECLINED = "declined"
    CHALLENGED = "challenged"
    NOT_AUTHENTICATED = "not_authenticated"
    ALREADY_PAID = "already_paid"
    EXPIRED = "expired"


def pay_session(account: StripeAccount, session_id: str, *, email: str | None = None) -> PaymentOutcome:
    with account.store.transaction():
        stored = checkout.get_current_session(account, session_id)
        if closed := _get_closed_outcome(stored):
            return closed
        return _finish_paid_session(account, stored, card=_GOOD_CARD, email=email)


def pay_session_by_debit(account: StripeAccount, session_id: str, *, email: str | None = None) -> PaymentOutcome:
    """The buyer has done their part; the bank takes days, until `settle_debit`. Stripe's page is left all the same."""
    with account.store.transaction():
        stored = checkout.get_current_session(account, session_id)
        if closed := _get_closed_outcome(stored):
            return closed
        intent, method = _start_attempt(account, stored, card=_GOOD_CARD, email=email)
        intent.body |= {"status": "processing", "payment_method": method["id"], "next_action": None}
        account.store.save(intent)
        _complete_session(account, stored, payment_status="unpaid", email=email)
        account.emit("payment_intent.processing", intent.body, chain=session_id)
        account.emit("checkout.session.completed", stored.body, chain=session_id)
        return PaymentOutcome.PROCESSING


def settle_debit(account: StripeAccount, session_id: str, *, succeeds: bool) -> PaymentOutcome:
    """What the bank says after its days."""
    with account.store.transaction():
        stored = checkout.get_current_session(account, session_id)
        intent = account.get("payment_intent", stored.body["payment_intent"] or "")
        if intent.body["status"] != "processing":
            return PaymentOutcome.ALREADY_PAID
        method = account.get("payment_method", intent.body["payment_method"]).body
        if succeeds:
            _capture_charge(account, intent, method, chain=session_id)
            stored.body["payment_status"] = "paid"
            account.store.save(stored)
            account.emit("checkout.session.async_payment_succeeded", stored.body, chain=session_id)
            return PaymentOutcome.PAID
        _record_failed_charge(account, intent, method, failure=_BANK_FAILED, chain=session_id)
        account.emit("checkout.session.async_payment_failed", stored.body, chain=session_id)
        return PaymentOutcome.FAILED


def decline_payment(account: StripeAccount, session_id: str, *, email: str | None = None) -> PaymentOutcome:
    with account.store.transaction():
        stored = checkout.get_current_session(account, session_id)
        if closed := _get_closed_outcome(stored):
            return closed
        _fail_attempt(account, stored, card=_BAD_CARD, email=email, failure=_DECLINED)
        return PaymentOutcome.DECLINED


def challenge_payment(account: StripeAccount, session_id: str, *, email: str | None = None) -> PaymentOutcome:
    """The bank wants to know: the intent waits in requires_action until the buyer answers."""
    with account.store.transaction():
        stored = checkout.get_current_session(account, session_id)
        if closed := _get_closed_outcome(stored):
            return closed
        intent, method = _start_attempt(account, stored, card=_CHALLENGED_CARD, email=email)
        intent.body |= {
            "status": "requires_action",
            "payment_method": method["id"],
            "next_action": {
                "redirect_to_url": {
                    "return_url": None,
                    "url": f"{account.page_url(session_id)}/authenticate",
                },
                "type": "redirect_to_url",
            },
        }
        stored.private["email"] = email
        account.store.save(intent)
        account.store.save(stored)
        account.emit("payment_intent.requires_action", intent.body, chain=session_id)
        return PaymentOutcome.CHALLENGED


def authenticate_payment(account: StripeAccount, session_id: str, *, passed: bool) -> PaymentOutcome:
    with account.store.transaction():
        stored = checkout.get_current_session(account, session_id)
        if closed := _get_closed_outcome(stored):
            return closed
        email = stored.private.get("email")
        if not is_challenged(account, stored):
            return PaymentOutcome.NOT_AUTHENTICATED
        if passed:
            return _finish_paid_session(account, stored, card=_CHALLENGED_CARD, email=email)
        _fail_attempt(account, stored, card=_CHALLENGED_CARD, email=email, failure=_NOT_AUTHENTICATED)
        return PaymentOutcome.NOT_AUTHENTICATED


def charge_elsewhere(account: StripeAccount, given: dict[str, Any]) -> dict[str, Any]:
    """A payment that no session was made for: a link sent by hand, a card reader, somebody else's website.

    `given`: amount in the smallest unit, and any of currency, description, metadata.
    """
    with account.store.transaction():
        session = {
            "amount_total": given["amount"],
            "currency": given.get("currency", "gbp"),
            "payment_method_types": ["card"],
        }
        data = {name: value for name, value in given.items() if name in ("description", "metadata")}
        body = payment_objects.make_payment_intent(now=account.now(), session=session, data=data)
        account.store.add(body)
        method = payment_objects.make_payment_method(now=account.now(), card=_GOOD_CARD, email=given.get("email"))
        account.store.add(method)
        return _capture_charge(account, account.get("payment_intent", body["id"]), method, chain=None)


def is_challenged(account: StripeAccount, stored: StoredObject) -> bool:
    intent = account.store.find(stored.body["payment_intent"] or "", "payment_intent")
    return intent is not None and intent.body["status"] == "requires_action"


def _get_closed_outcome(stored: StoredObject) -> PaymentOutcome | None:
    return {"complete": PaymentOutcome.ALREADY_PAID, "expired": PaymentOutcome.EXPIRED}.get(stored.body["status"])


def _start_attempt(
    account: StripeAccount, stored: StoredObject, *, card: str, email: str | None
) -> tuple[StoredObject, dict[str, Any]]:
    """The session's intent, made at the first attempt as Stripe does, and a card for this attempt."""
    session = stored.body
    if session["payment_intent"] is None:
        data = stored.private["payment_intent_data"]
        body = payment_objects.make_payment_intent(now=account.now(), session=session, data=data)
        account.store.add(body, parent=session["id"])
        account.emit("payment_intent.created", body, chain=session["id"])
        session["payment_intent"] = body["id"]
        account.store.save(stored)
    intent = account.get("payment_intent", session["payment_intent"])
    method = payment_objects.make_payment_method(now=account.now(), card=card, email=_choose_email(session, email))
    account.store.add(method)
    return intent, method


def _finish_paid_session(
    account: StripeAccount, stored: StoredObject, *, card: str, email: str | None
) -> PaymentOutcome:
    session = stored.body
    if session["amount_total"] == 0:
        session["payment_status"] = "no_payment_required"
    else:
        intent, method = _start_attempt(account, stored, card=card, email=email)
        _capture_charge(account, intent, method, chain=session["id"])
        session["payment_status"] = "paid"
    _complete_session(account, stored, payment_status=session["payment_status"], email=email)
    account.emit("checkout.session.completed", session, chain=session["id"])
    return PaymentOutcome.PAID


def _complete_session(account: StripeAccount, stored: StoredObject, *, payment_status: str, email: str | None) -> None:
    session = stored.body
    session |= {"status": "complete", "url": None, "payment_status": payment_status}
    session["customer_details"] = objects.make_customer_details(_choose_email(session, email))
    account.store.save(stored)


def _capture_charge(
    account: StripeAccount, intent: StoredObject, method: dict[str, Any], *, chain: str | None
) -> dict[str, Any]:
    """The charge. `chain`: the session it was paid through, None where there is none."""
    charge = payment_objects.make_charge(now=account.now(), intent=intent.body, method=method, failure=None)
    entry = payment_objects.make_balance_transaction(now=account.now(), source=charge, amount=charge["amount"])
    charge["balance_transaction"] = entry["id"]
    account.store.add(entry)
    account.store.add(charge, parent=chain)
    intent.body |= {
        "status": "succeeded",
        "amount_received": charge["amount"],
        "latest_charge": charge["id"],
        "payment_method": method["id"],
        "last_payment_error": None,
        "next_action": None,
    }
    account.store.save(intent)
    account.emit("charge.succeeded", charge, chain=chain or intent.id)
    account.emit("payment_intent.succeeded", intent.body, chain=chain or intent.id)
    return charge


def _fail_attempt(
    account: StripeAccount, stored: StoredObject, *, card: str, email: str | None, failure: dict[str, str]
) -> None:
    intent, method = _start_attempt(account, stored, card=card, email=email)
    _record_failed_charge(account, intent, method, failure=failure, chain=stored.id)


def _record_failed_charge(
    account: StripeAccount, intent: StoredObject, method: dict[str, Any], *, failure: dict[str, str], chain: str
) -> None:
    charge = payment_objects.make_charge(now=account.now(), intent=intent.body, method=method, failure=failure)
    account.store.add(charge, parent=chain)
    intent.body |= {
        "status": "requires_payment_method",
        "latest_charge": charge["id"],
        "payment_method": None,
        "next_action": None,
        "last_payment_error": {
            **failure,
            "charge": charge["id"],
            "doc_url": f"https://stripe.com/docs/error-codes/{failure['code'].replace('_', '-')}",
            "payment_method": method,
            "type": "card_error",
        },
    }
    account.store.save(intent)
    account.emit("charge.failed", charge, chain=chain)
    account.emit("payment_intent.payment_failed", intent.body, chain=chain)


def _choose_email(session: dict[str, Any], given: str | None) -> str:
    return session["customer_email"] or given or "buyer@example.com"
