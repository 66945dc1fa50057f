"""What happens to a session when the buyer clicks: paid once, declined, or asked to authenticate.

Each verb runs in one store transaction and looks at the session inside it, so twenty clicks at once, or a
click racing an expiry, make at most one charge.
"""

from enum import Enum
from typing import Any

from shop.local.stripe import checkout, objects, payment_objects
from shop.local.stripe.account import Account
from shop.local.stripe.store import Stored

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


class Outcome(Enum):
    PAID = "paid"
    PROCESSING = "processing"
    FAILED = "failed"
    DECLINED = "declined"
    CHALLENGED = "challenged"
    NOT_AUTHENTICATED = "not_authenticated"
    ALREADY_PAID = "already_paid"
    EXPIRED = "expired"


def pay(account: Account, session_id: str, *, email: str | None = None) -> Outcome:
    with account.store.transaction():
        stored = checkout.fetch(account, session_id)
        if closed := _closed(stored):
            return closed
        return _succeed(account, stored, card=_GOOD_CARD, email=email)


def pay_by_debit(account: Account, session_id: str, *, email: str | None = None) -> Outcome:
    """The buyer has done their part; the bank takes days, until `settle_debit`. Stripe's page is left all the same."""
    with account.store.transaction():
        stored = checkout.fetch(account, session_id)
        if closed := _closed(stored):
            return closed
        intent, method = _attempt(account, stored, card=_GOOD_CARD, email=email)
        intent.body |= {"status": "processing", "payment_method": method["id"], "next_action": None}
        account.store.save(intent)
        _complete(account, stored, payment_status="unpaid", email=email)
        account.emit("payment_intent.processing", intent.body, chain=session_id)
        account.emit("checkout.session.completed", stored.body, chain=session_id)
        return Outcome.PROCESSING


def settle_debit(account: Account, session_id: str, *, succeeds: bool) -> Outcome:
    """What the bank says after its days."""
    with account.store.transaction():
        stored = checkout.fetch(account, session_id)
        intent = account.get("payment_intent", stored.body["payment_intent"] or "")
        if intent.body["status"] != "processing":
            return Outcome.ALREADY_PAID
        method = account.get("payment_method", intent.body["payment_method"]).body
        if succeeds:
            _capture(account, intent, method, chain=session_id)
            stored.body["payment_status"] = "paid"
            account.store.save(stored)
            account.emit("checkout.session.async_payment_succeeded", stored.body, chain=session_id)
            return Outcome.PAID
        _refuse(account, intent, method, failure=_BANK_FAILED, chain=session_id)
        account.emit("checkout.session.async_payment_failed", stored.body, chain=session_id)
        return Outcome.FAILED


def decline(account: Account, session_id: str, *, email: str | None = None) -> Outcome:
    with account.store.transaction():
        stored = checkout.fetch(account, session_id)
        if closed := _closed(stored):
            return closed
        _fail(account, stored, card=_BAD_CARD, email=email, failure=_DECLINED)
        return Outcome.DECLINED


def challenge(account: Account, session_id: str, *, email: str | None = None) -> Outcome:
    """The bank wants to know: the intent waits in requires_action until the buyer answers."""
    with account.store.transaction():
        stored = checkout.fetch(account, session_id)
        if closed := _closed(stored):
            return closed
        intent, method = _attempt(account, stored, card=_CHALLENGED_CARD, email=email)
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
        return Outcome.CHALLENGED


def authenticate(account: Account, session_id: str, *, passed: bool) -> Outcome:
    with account.store.transaction():
        stored = checkout.fetch(account, session_id)
        if closed := _closed(stored):
            return closed
        email = stored.private.get("email")
        if not challenged(account, stored):
            return Outcome.NOT_AUTHENTICATED
        if passed:
            return _succeed(account, stored, card=_CHALLENGED_CARD, email=email)
        _fail(account, stored, card=_CHALLENGED_CARD, email=email, failure=_NOT_AUTHENTICATED)
        return Outcome.NOT_AUTHENTICATED


def charge_elsewhere(account: Account, given: dict[str, Any]) -> dict[str, Any]:
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
        body = payment_objects.payment_intent(now=account.now(), session=session, data=data)
        account.store.add(body)
        method = payment_objects.payment_method(now=account.now(), card=_GOOD_CARD, email=given.get("email"))
        account.store.add(method)
        return _capture(account, account.get("payment_intent", body["id"]), method, chain=None)


def challenged(account: Account, stored: Stored) -> bool:
    intent = account.store.find(stored.body["payment_intent"] or "", "payment_intent")
    return intent is not None and intent.body["status"] == "requires_action"


def _closed(stored: Stored) -> Outcome | None:
    return {"complete": Outcome.ALREADY_PAID, "expired": Outcome.EXPIRED}.get(stored.body["status"])


def _attempt(account: Account, stored: Stored, *, card: str, email: str | None) -> tuple[Stored, dict[str, Any]]:
    """The session's intent, made at the first attempt as Stripe does, and a card for this attempt."""
    session = stored.body
    if session["payment_intent"] is None:
        data = stored.private["payment_intent_data"]
        body = payment_objects.payment_intent(now=account.now(), session=session, data=data)
        account.store.add(body, parent=session["id"])
        account.emit("payment_intent.created", body, chain=session["id"])
        session["payment_intent"] = body["id"]
        account.store.save(stored)
    intent = account.get("payment_intent", session["payment_intent"])
    method = payment_objects.payment_method(now=account.now(), card=card, email=_email(session, email))
    account.store.add(method)
    return intent, method


def _succeed(account: Account, stored: Stored, *, card: str, email: str | None) -> Outcome:
    session = stored.body
    if session["amount_total"] == 0:
        session["payment_status"] = "no_payment_required"
    else:
        intent, method = _attempt(account, stored, card=card, email=email)
        _capture(account, intent, method, chain=session["id"])
        session["payment_status"] = "paid"
    _complete(account, stored, payment_status=session["payment_status"], email=email)
    account.emit("checkout.session.completed", session, chain=session["id"])
    return Outcome.PAID


def _complete(account: Account, stored: Stored, *, payment_status: str, email: str | None) -> None:
    session = stored.body
    session |= {"status": "complete", "url": None, "payment_status": payment_status}
    session["customer_details"] = objects.customer_details(_email(session, email))
    account.store.save(stored)


def _capture(account: Account, intent: Stored, method: dict[str, Any], *, chain: str | None) -> dict[str, Any]:
    """The charge. `chain`: the session it was paid through, None where there is none."""
    charge = payment_objects.charge(now=account.now(), intent=intent.body, method=method, failure=None)
    entry = payment_objects.balance_transaction(now=account.now(), source=charge, amount=charge["amount"])
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


def _fail(account: Account, stored: Stored, *, card: str, email: str | None, failure: dict[str, str]) -> None:
    intent, method = _attempt(account, stored, card=card, email=email)
    _refuse(account, intent, method, failure=failure, chain=stored.id)


def _refuse(account: Account, intent: Stored, method: dict[str, Any], *, failure: dict[str, str], chain: str) -> None:
    charge = payment_objects.charge(now=account.now(), intent=intent.body, method=method, failure=failure)
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


def _email(session: dict[str, Any], given: str | None) -> str:
    return session["customer_email"] or given or "buyer@example.com"
