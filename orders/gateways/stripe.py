"""Stripe, through its official library. No models: plain values in, plain values out.

Every call that changes something carries an idempotency key, and the library's own retries are off: whoever calls
decides whether to ask again, with the same key.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from http import HTTPStatus
from typing import Any, TypeVar

import stripe
from django.conf import settings

from orders.gateways import breaker
from orders.gateways.breaker import BreakerState
from shop.time_limits import Bulkhead, BulkheadFull, WaitTimedOut, get_current_patience

MOST_LINES = 100  # Stripe's limit for one session
END_OF_TIME = 2**33  # seconds since 1970: later than any event, and still a date
SIGNATURE_SECONDS = 300  # older webhooks are taken for replays
PROBE_SECONDS = 3
PLACES = Bulkhead("stripe", places=32)
T = TypeVar("T")


class StripeUnreachable(Exception):  # noqa: N818  (a state of the world, not an error of ours)
    """No answer, or one that doesn't say what happened. What was asked may or may not have been done."""


class StripeBusy(StripeUnreachable):
    """The same thing is being asked by somebody else this moment."""


class StripeSlow(StripeUnreachable):
    """No answer within the time a request can wait. It is asked for again in the background."""


class StripeFailed(StripeUnreachable):
    """Stripe said that it failed (500). The same key may find the true answer, or the same failure for a day."""


class StripeRefused(Exception):  # noqa: N818
    """Stripe understood and said no; nothing was done."""


@dataclass(frozen=True)
class SessionItem:
    """One line of the payment page; `unit_amount` as Stripe counts (`amounts`). `marks`: ours, for `rebuilding`."""

    name: str
    unit_amount: int
    quantity: int
    marks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckoutSession:
    """A Checkout session as Stripe sees it now. `amount`: as Stripe counts. `key`: our payment's idempotency key,
    `order_number` and `email` its order's.
    """

    reference: str
    url: str
    status: str
    payment_status: str
    amount: int
    currency: str
    payment_intent: str
    key: str
    order_number: str
    email: str
    intent_status: str = ""  # empty where Stripe was not asked for it

    @property
    def is_paid(self) -> bool:
        return self.status == "complete" and self.payment_status == "paid"

    @property
    def is_processing(self) -> bool:
        """The buyer has done their part, and their bank takes days for its own."""
        return self.status == "complete" and self.payment_status == "unpaid" and not self.has_failed

    @property
    def has_failed(self) -> bool:
        """The bank said no after those days."""
        is_unpaid = self.status == "complete" and self.payment_status == "unpaid"
        return is_unpaid and self.intent_status in ("requires_payment_method", "canceled")

    @property
    def is_expired(self) -> bool:
        return self.status == "expired"


@dataclass(frozen=True)
class RefundAnswer:
    """`status`: pending, requires_action, succeeded, failed or canceled."""

    reference: str
    status: str
    problem: str


@dataclass(frozen=True)
class StripeEventData:
    reference: str
    kind: str
    object_id: str
    created: int


def create_session(
    *,
    key: str,
    order_number: str,
    email: str,
    currency: str,
    items: Sequence[SessionItem],
    expires_at: int,
    success_url: str,
    cancel_url: str,
) -> CheckoutSession:
    """The same key always gives the same session. `email`: "" where nobody knows it."""
    marks = {"order": order_number, "payment": key}
    params: dict[str, Any] = {
        "mode": "payment",
        "line_items": [_build_line_item(item, currency) for item in items],
        "client_reference_id": order_number,
        "metadata": marks,
        "payment_intent_data": {"metadata": marks, "description": f"Order {order_number}"},
        "expires_at": expires_at,
        "success_url": success_url,
        "cancel_url": cancel_url,
    }
    if email:  # of an order that staff entered nobody may know one; Stripe then asks for it
        params["customer_email"] = email
    with translate_errors():
        made = get_client().v1.checkout.sessions.create(params, {"idempotency_key": key})  # type: ignore[arg-type]
    return _parse_session(made)


def fetch_session(reference: str) -> CheckoutSession:
    with translate_errors():
        return _parse_session(get_client().v1.checkout.sessions.retrieve(reference, {"expand": ["payment_intent"]}))


def list_completed_sessions(since: datetime) -> Iterator[CheckoutSession]:
    """Those begun since then that were completed, the newest first, a hundred for each request to Stripe."""
    params: dict[str, Any] = {
        "status": "complete",
        "created": {"gte": int(since.timestamp())},
        "limit": 100,
        "expand": ["data.payment_intent"],
    }
    with translate_errors():
        for found in get_client().v1.checkout.sessions.list(params).auto_paging_iter():  # type: ignore[arg-type]
            yield _parse_session(found)


def find_session(key: str, *, since: datetime, until: datetime) -> CheckoutSession | None:
    """The session that was begun between then under our payment's key, if Stripe has made it."""
    params: dict[str, Any] = {"created": {"gte": int(since.timestamp()), "lte": int(until.timestamp())}, "limit": 100}
    with translate_errors():
        for found in get_client().v1.checkout.sessions.list(params).auto_paging_iter():  # type: ignore[arg-type]
            if read_metadata(found).get("payment") == key:
                return _parse_session(found)
    return None


def find_session_paid_by(payment_intent: str) -> CheckoutSession | None:
    with translate_errors():
        found = get_client().v1.checkout.sessions.list({"payment_intent": payment_intent, "limit": 1}).data
    return _parse_session(found[0]) if found else None


def fetch_session_items(reference: str) -> list[SessionItem]:
    """What a session was for, with our marks on each line."""
    params: dict[str, Any] = {"limit": 100, "expand": ["data.price.product"]}
    with translate_errors():
        found = get_client().v1.checkout.sessions.line_items.list(reference, params)  # type: ignore[arg-type]
        return [_parse_session_item(made) for made in found.auto_paging_iter()]


def _parse_session_item(made: Any) -> SessionItem:
    return SessionItem(made.description, made.price.unit_amount, made.quantity, read_metadata(made.price.product))


def expire_session(reference: str) -> None:
    """Raises `StripeRefused` when it is complete or expired already."""
    with translate_errors():
        get_client().v1.checkout.sessions.expire(reference)


def is_answering() -> bool:
    """Whether Stripe says anything sensible now, to a question that is about nothing in particular."""
    try:
        with translate_errors():
            probe = _build_client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, PROBE_SECONDS)
            probe.v1.checkout.sessions.list({"limit": 1})
    except (StripeRefused, StripeUnreachable):
        return False
    return True


def create_refund(*, key: str, payment_intent: str, amount: int, marks: Mapping[str, str]) -> RefundAnswer:
    """`key`: good for a day, then Stripe forgets it and would give the money again. `marks`: our own words on it."""
    with translate_errors():
        made = get_client().v1.refunds.create(
            {"payment_intent": payment_intent, "amount": amount, "metadata": dict(marks)},
            {"idempotency_key": key},
        )
    return _parse_refund_answer(made)


def find_refund(payment_intent: str, *, mark: str) -> RefundAnswer | None:
    """The refund of this payment that we marked so, if Stripe has made it."""
    with translate_errors():
        refunds = get_client().v1.refunds.list({"payment_intent": payment_intent, "limit": 100})
        for made in refunds.auto_paging_iter():
            if read_metadata(made).get("refund") == mark:
                return _parse_refund_answer(made)
    return None


def fetch_refund(reference: str) -> RefundAnswer:
    with translate_errors():
        return _parse_refund_answer(get_client().v1.refunds.retrieve(reference))


def read_event(payload: bytes, signature: str) -> StripeEventData | None:
    """The event in a webhook; None unless it is one, signed with one of our secrets in the last five minutes."""
    if not any(_is_signed(payload, signature, secret) for secret in settings.STRIPE_WEBHOOK_SECRETS):
        return None
    try:
        return _parse_event(json.loads(payload))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):  # signed, and still not an event
        return None


def _parse_event(told: Any) -> StripeEventData:
    """Raises ValueError, TypeError, LookupError or AttributeError for what is no event of Stripe's.

    What it is about may have no id, as a balance has none.
    """
    about = told["data"]["object"].get("id", "")
    for text, longest in ((told["id"], 120), (told["type"], 80), ("-" if about == "" else about, 120)):
        if not re.fullmatch(rf"[!-~]{{1,{longest}}}", text):
            raise ValueError("Not as Stripe names things")
    created = told["created"]
    if type(created) is not int or not 0 < created < END_OF_TIME:
        raise ValueError("Not a time")
    return StripeEventData(told["id"], told["type"], about, created)


def _is_signed(payload: bytes, signature: str, secret: str) -> bool:
    if not signature.isascii():  # the library compares texts, and fails on others
        return False
    try:
        stripe.WebhookSignature.verify_header(payload, signature, secret, SIGNATURE_SECONDS)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True


class StripeTimeoutError(stripe.APIConnectionError):
    """Raised by us, where the library would go on waiting."""

    def __init__(self, message: str) -> None:
        super().__init__(message)  # type: ignore[no-untyped-call]


class PatientClient(stripe.RequestsClient):
    """The library's own, except that a request of the shop waits no longer than it has time, and not at all while
    Stripe is known to hang.
    """

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[Any, int, Mapping[str, str]]:
        ask = partial(super().request, method, url, headers, post_data)
        patience = get_current_patience()
        if patience is None:
            return _ask_without_deadline(ask)
        way = breaker.check_breaker()
        if way is BreakerState.BLOCKED:
            raise StripeTimeoutError("Stripe did not answer a moment ago.")
        try:
            answer = PLACES.run(ask, patience)
        except BulkheadFull as crowd:
            raise StripeTimeoutError(str(crowd)) from crowd
        except WaitTimedOut as silence:
            breaker.record_silence(silence)
            raise StripeTimeoutError(str(silence)) from silence
        if way is not BreakerState.PASSING:
            breaker.record_answer()
        return answer


def _ask_without_deadline(ask: Callable[[], T]) -> T:
    begun_at = time.monotonic()
    answer = ask()
    if time.monotonic() - begun_at < settings.PATIENCE_SECONDS:
        breaker.record_answer()
    return answer


def get_client() -> stripe.StripeClient:
    return _build_client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.STRIPE_TIMEOUT_SECONDS)


@cache
def _build_client(secret_key: str, base: str, timeout: int) -> stripe.StripeClient:
    return stripe.StripeClient(
        secret_key,
        base_addresses={"api": base},
        http_client=PatientClient(timeout=timeout),
        max_network_retries=0,
    )


@contextmanager
def translate_errors() -> Iterator[None]:
    """Stripe's errors in the shop's terms. Only a refused request is a no; all else leaves the outcome open."""
    try:
        yield
    except stripe.InvalidRequestError as error:
        raise StripeRefused(str(error)) from error
    except stripe.IdempotencyError as error:
        in_use = error.http_status == HTTPStatus.CONFLICT  # else: the same key with other parameters
        raise (StripeBusy if in_use else StripeUnreachable)(str(error)) from error
    except StripeTimeoutError as error:
        raise StripeSlow(str(error)) from error
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise StripeUnreachable(type(error).__name__) from error
    except stripe.APIError as error:
        if error.http_status == HTTPStatus.CONFLICT:  # the library has no class of its own for it
            raise StripeBusy(str(error)) from error
        raise StripeFailed(type(error).__name__) from error
    except stripe.StripeError as error:  # a wrong or narrow key, say: not a word about what we asked
        raise StripeUnreachable(type(error).__name__) from error


def _build_line_item(item: SessionItem, currency: str) -> dict[str, Any]:
    price = {
        "currency": currency.lower(),
        "unit_amount": item.unit_amount,
        "product_data": {"name": item.name, "metadata": dict(item.marks)},
    }
    return {"quantity": item.quantity, "price_data": price}


def _parse_session(made: stripe.checkout.Session) -> CheckoutSession:
    return CheckoutSession(
        reference=made.id,
        url=made.url or "",
        status=made.status or "",
        payment_status=made.payment_status,
        amount=made.amount_total or 0,
        currency=(made.currency or "").upper(),
        payment_intent=str(getattr(made.payment_intent, "id", made.payment_intent) or ""),
        intent_status=str(getattr(made.payment_intent, "status", "")),
        key=read_metadata(made).get("payment", ""),
        order_number=read_metadata(made).get("order", ""),
        email=made.customer_email or "",
    )


def read_metadata(made: Any) -> dict[str, str]:
    """What we, or whoever made it, wrote on it."""
    metadata = getattr(made, "metadata", None)
    return {str(key): str(value) for key, value in metadata.to_dict().items()} if metadata else {}


def _parse_refund_answer(made: stripe.Refund) -> RefundAnswer:
    return RefundAnswer(made.id, made.status or "", getattr(made, "failure_reason", None) or "")
