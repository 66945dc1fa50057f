"""The HTTP API: who asks, what for, with which parameters, and whether it was asked before."""

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from stripe import params as library
from stripe.params import checkout as checkout_library
from stripe.params import radar as radar_library

from shop.local.stripe import checkout, form, listing, objects, params, refunds
from shop.local.stripe.account import Account
from shop.local.stripe.errors import RefusalError
from shop.local.stripe.idempotency import Answer, Keys

_VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(\.[a-z_]+)?$")
Handler = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Endpoint:
    method: str
    pattern: re.Pattern[str]
    accepts: type
    handler: Handler


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    encoded: str
    headers: Any  # case-insensitive, as http.server hands them over
    id: str = field(default_factory=lambda: objects.new_id("req_", 14))

    @property
    def idempotency_key(self) -> str | None:
        key: str | None = self.headers.get("Idempotency-Key") if self.method == "POST" else None
        return key


@dataclass(frozen=True)
class Call:
    request: Request
    endpoint: Endpoint
    path: dict[str, str]
    given: dict[str, Any]


class Api:
    def __init__(self, account: Account) -> None:
        self.account = account
        self.keys = Keys(account.store)

    def answer(
        self, request: Request, *, first: Callable[[], None] = lambda: None, keep_failure: bool = False
    ) -> Answer:
        """`first` runs while the idempotency key is held, before any work.

        `keep_failure`: do the work, then save and give a 500 instead of the true answer.
        """
        try:
            self._authenticate(request)
            endpoint, path = self._find(request)
            call = Call(request, endpoint, path, form.parse(request.encoded))
            if request.idempotency_key is None:
                first()
                with self.account.store.transaction():
                    return self._execute(call)
            with self.keys.hold(request.idempotency_key):
                first()
                with self.account.store.transaction():
                    return self._once(call, request.idempotency_key, keep_failure=keep_failure)
        except RefusalError as refusal:
            return _refused(request, refusal)
        finally:
            self.account.postman.nudge()

    def _once(self, call: Call, key: str, *, keep_failure: bool) -> Answer:
        path, params = call.request.path, call.given
        if earlier := self.keys.recall(key, path=path, params=params, now=self.account.now()):
            replayed = {"Idempotent-Replayed": "true", "Original-Request": earlier.request_id}
            return Answer(earlier.status, earlier.body, call.request.id, {**earlier.headers, **replayed})
        answer = self._execute(call)
        if keep_failure:
            answer = broken(call.request)
        self.keys.keep(key, path=path, params=params, answer=answer, now=self.account.now())
        return answer

    def _execute(self, call: Call) -> Answer:
        """What the endpoint itself refuses is an answer, and kept; what its parameters refuse is raised."""
        request = call.request
        values = params.read(call.endpoint.accepts, call.given)
        try:
            with self.account.answering(request.id, request.idempotency_key):
                body = call.endpoint.handler(self.account, values, **call.path)
            body = listing.expand(self.account, body, values.get("expand", []))
        except RefusalError as refusal:
            if not refusal.executed:
                raise
            return _refused(request, refusal)
        return Answer(200, body, request.id, {})

    def _authenticate(self, request: Request) -> None:
        key = _given_key(request.headers.get("Authorization", ""))
        if not key:
            raise RefusalError(
                "You did not provide an API key. You need to provide your API key in the Authorization "
                "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
                status=401,
                headers={"WWW-Authenticate": 'Bearer realm="Stripe"'},
            )
        if not hmac.compare_digest(key.encode(), self.account.options.api_key.encode()):
            masked = f"{key[:7]}{'*' * 8}{key[-4:]}" if len(key) > 12 else "*" * len(key)
            raise RefusalError(f"Invalid API Key provided: {masked}", status=401)
        version = request.headers.get("Stripe-Version", objects.API_VERSION)
        if not _VERSION.match(version):
            raise RefusalError(f"Invalid Stripe API version: {version}")

    def _find(self, request: Request) -> tuple[Endpoint, dict[str, str]]:
        for endpoint in ENDPOINTS:
            match = endpoint.pattern.fullmatch(request.path)
            if match and endpoint.method == request.method:
                return endpoint, match.groupdict()
        raise RefusalError(
            f"Unrecognized request URL ({request.method}: {request.path}). Please see "
            "https://stripe.com/docs or we can help at https://support.stripe.com/.",
            status=404,
        )


def broken(request: Request, *, final: bool = True) -> Answer:
    """Stripe asks not to retry a 500 that the idempotency key would only replay."""
    body = {
        "error": {
            "message": "An unknown error occurred. The Stripe stand-in was asked to fail here.",
            "type": "api_error",
        }
    }
    return Answer(500, body, request.id, {"Stripe-Should-Retry": "false"} if final else {})


def limited(request: Request) -> Answer:
    body = {
        "error": {
            "message": "Request rate limit exceeded.",
            "type": "invalid_request_error",
            "code": "rate_limit",
        }
    }
    return Answer(429, body, request.id, {})


def _refused(request: Request, refusal: RefusalError) -> Answer:
    return Answer(refusal.status, refusal.body(), request.id, dict(refusal.headers))


def _given_key(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def _one(kind: str) -> Handler:
    def retrieve(account: Account, values: dict[str, Any], *, identifier: str) -> dict[str, Any]:
        del values
        return account.get(kind, identifier).body

    return retrieve


def _many(kind: str, url: str) -> Handler:
    def listed(account: Account, values: dict[str, Any]) -> dict[str, Any]:
        return listing.page(account, kind, values, url=url)

    return listed


def _session(account: Account, values: dict[str, Any], *, identifier: str) -> dict[str, Any]:
    del values
    return checkout.fetch(account, identifier).body


def _sessions(account: Account, values: dict[str, Any]) -> dict[str, Any]:
    checkout.expire_due(account)
    return listing.page(account, "checkout.session", values, url="/v1/checkout/sessions")


def _lines(account: Account, values: dict[str, Any], *, identifier: str) -> dict[str, Any]:
    return listing.line_items(account, identifier, values)


def _event(account: Account, values: dict[str, Any], *, identifier: str) -> dict[str, Any]:
    del values
    body = account.get("event", identifier).body
    return {**body, "pending_webhooks": account.postman.pending(identifier)}


def _endpoint(method: str, path: str, accepts: Any, handler: Handler) -> Endpoint:
    pattern = re.compile("/v1/" + path.replace("{id}", r"(?P<identifier>[A-Za-z0-9_]+)"))
    return Endpoint(method, pattern, accepts, handler)


_get = partial(_endpoint, "GET")
_post = partial(_endpoint, "POST")

_WARNING, _WARNINGS_URL = "radar.early_fraud_warning", "/v1/radar/early_fraud_warnings"

ENDPOINTS = (
    _post("checkout/sessions", checkout_library.SessionCreateParams, checkout.create),
    _get("checkout/sessions", checkout_library.SessionListParams, _sessions),
    _get("checkout/sessions/{id}", checkout_library.SessionRetrieveParams, _session),
    _post("checkout/sessions/{id}", checkout_library.SessionModifyParams, checkout.update),
    _post("checkout/sessions/{id}/expire", checkout_library.SessionExpireParams, checkout.expire),
    _get("checkout/sessions/{id}/line_items", checkout_library.SessionListLineItemsParams, _lines),
    _get("payment_intents", library.PaymentIntentListParams, _many("payment_intent", "/v1/payment_intents")),
    _get("payment_intents/{id}", library.PaymentIntentRetrieveParams, _one("payment_intent")),
    _get("charges", library.ChargeListParams, _many("charge", "/v1/charges")),
    _get("charges/{id}", library.ChargeRetrieveParams, _one("charge")),
    _post("refunds", library.RefundCreateParams, refunds.create),
    _get("refunds", library.RefundListParams, _many("refund", "/v1/refunds")),
    _get("refunds/{id}", library.RefundRetrieveParams, _one("refund")),
    _post("refunds/{id}", library.RefundModifyParams, refunds.update),
    _get("disputes", library.DisputeListParams, _many("dispute", "/v1/disputes")),
    _get("disputes/{id}", library.DisputeRetrieveParams, _one("dispute")),
    _get("radar/early_fraud_warnings", radar_library.EarlyFraudWarningListParams, _many(_WARNING, _WARNINGS_URL)),
    _get("radar/early_fraud_warnings/{id}", radar_library.EarlyFraudWarningRetrieveParams, _one(_WARNING)),
    _get("events", library.EventListParams, listing.events),
    _get("events/{id}", library.EventRetrieveParams, _event),
    _get("balance_transactions/{id}", library.BalanceTransactionRetrieveParams, _one("balance_transaction")),
    _get("payment_methods/{id}", library.PaymentMethodRetrieveParams, _one("payment_method")),
)
