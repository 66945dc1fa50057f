"""One Stripe account: its memory, its settings, and the way its news goes out."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from shop.local.stripe import objects
from shop.local.stripe.errors import make_no_such_object_error
from shop.local.stripe.store import StandInStore, StoredObject
from shop.local.stripe.webhooks import WebhookSender, WebhookSettings

# What a shop's webhook endpoint is usually subscribed to; the API lists every event.
DEFAULT_EVENTS = (
    "checkout.session.*",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "charge.refunded",
    "charge.refund.updated",
    "charge.dispute.*",
    "radar.early_fraud_warning.*",
    "refund.*",
)

_OBJECT_NOUNS = {
    "checkout.session": "checkout.session",
    "payment_intent": "payment_intent",
    "charge": "charge",
    "refund": "refund",
    "dispute": "dispute",
    "radar.early_fraud_warning": "early fraud warning",
    "event": "event",
    "balance_transaction": "balance transaction",
    "payment_method": "PaymentMethod",
    "price": "price",
}

# Which API request is being answered, so that its events can name it; None for a click on the page.
_current_request: ContextVar[dict[str, Any] | None] = ContextVar("request", default=None)


@dataclass(frozen=True)
class StandInOptions:
    data: Path
    api_key: str
    webhook_url: str = ""
    webhook_secret: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    public_url: str = ""
    business_name: str = "Say When"
    webhook_events: tuple[str, ...] = DEFAULT_EVENTS


@dataclass
class StandInBehaviour:
    """How the next payments and refunds go; tests set it through ``/_control``."""

    refunds_start: str = "succeeded"

    def __post_init__(self) -> None:
        if self.refunds_start not in ("pending", "succeeded"):
            raise ValueError("refunds_start is pending or succeeded")


@dataclass
class StripeAccount:
    options: StandInOptions
    store: StandInStore = field(init=False)
    postman: WebhookSender = field(init=False)
    behaviour: StandInBehaviour = field(default_factory=StandInBehaviour)

    def __post_init__(self) -> None:
        self.store = StandInStore(self.options.data)
        settings = WebhookSettings(self.options.webhook_url, self.options.webhook_secret)
        self.postman = WebhookSender(self.store, settings)

    def now(self) -> int:
        return int(time.time())

    def page_url(self, session_id: str) -> str:
        return f"{self.options.public_url}/c/pay/{session_id}"

    def get(self, kind: str, identifier: str, *, param: str = "id", status: int = 404) -> StoredObject:
        stored = self.store.find(identifier, kind)
        if stored is None:
            raise make_no_such_object_error(_OBJECT_NOUNS[kind], identifier, param=param, status=status)
        return stored

    def emit(self, kind: str, subject: dict[str, Any], *, chain: str) -> None:
        """Inside the transaction that made the news. Events of one chain are delivered in order."""
        request = _current_request.get() or {"id": None, "idempotency_key": None}
        event = objects.make_event(now=self.now(), kind=kind, subject=subject, request=request)
        self.store.add(event)
        if any(fnmatchcase(kind, pattern) for pattern in self.options.webhook_events):
            self.postman.enqueue(event["id"], chain=chain)

    @contextmanager
    def answering(self, request_id: str, idempotency_key: str | None) -> Iterator[None]:
        token = _current_request.set({"id": request_id, "idempotency_key": idempotency_key})
        try:
            yield
        finally:
            _current_request.reset(token)
