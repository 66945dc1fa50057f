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
from shop.local.stripe.account import StripeAccount
from shop.local.stripe.errors import RefusalError
from shop.local.stripe.idempotency import ApiResponse, IdempotencyKeys

_VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(\.[a-z_]+)?$")
EndpointHandler = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class ApiEndpoint:
    method: str
    pattern: re.Pattern[str]
    accepts: type
    handler: EndpointHandler


@dataclass(frozen=True)
class ApiRequest:
    method: str
    path: str
    encoded: str
    headers: Any  # case-insensitive, as http.server hands them over
    id: str = field(default_factory=lambda: objects.make_id("req_", 14))

    @property
    def idempotency_key(self) -> str | None:
        key: str | None = self.headers.get("Idempotency-Key") if self.method == "POST" else None
        return key


@dataclass(frozen=True)
class ApiCall:
    request: ApiRequest
    endpoint: ApiEndpoint
    path: dict[str, str]
    given: dict[str, Any]


class Api:
    def __init__(self, account: StripeAccount) -> None:
        self.account = account
        self.keys = IdempotencyKeys(account.store)

    def answer(
        self, request: ApiRequest, *, first: Callable[[], None] = lambda: None, keep_failure: bool = False
    ) -> ApiResponse:
        """`first` runs while the idempotency key is held, before any work.

        `keep_failure`: do the work, then save and give a 500 instead of the true answer.
        """
        try:
            self._authenticate(request)
            endpoint, path = self._find_endpoint(request)
            call = ApiCall(request, endpoint, path, form.parse_form(request.encoded))
            if request.idempotency_key is None:
                first()
                with self.account.store.transaction():
                    return self._execute(call)
            with self.keys.hold(request.idempotency_key):
                first()
                with self.account.store.transaction():
                    return self._execute_once(call, request.idempotency_key, keep_failure=keep_failure)
        except RefusalError as refusal:
            return _make_refusal_response(request, refusal)
        finally:
            self.account.postman.nudge()

    def _execute_once(self, call: ApiCall, key: str, *, keep_failure: bool) -> ApiResponse:
        path, params = call.request.path, call.given
        if earlier := self.keys.recall(key, path=path, params=params, now=self.account.now()):
            replayed = {"Idempotent-Replayed": "true", "Original-Request": earlier.request_id}
            return ApiResponse(earlier.status, earlier.body, call.request.id, {**earlier.headers, **replayed})
        answer = self._execute(call)
        if keep_failure:
            answer = make_server_error(call.request)
        self.keys.keep(key, path=path, params=params, answer=answer, now=self.account.now())
        return answer

    def _execute(self, call: ApiCall) -> ApiResponse:
        """What the endpoint itself refuses is an answer, and kept; what its parameters refuse is raised."""
        request = call.request
        values = params.convert_params(call.endpoint.accepts, call.given)
        try:
            with self.account.answering(request.id, request.idempotency_key):
                body = call.endpoint.handler(self.account, values, **call.path)
            body = listing.expand_properties(self.account, body, values.get("expand", []))
        except RefusalError as refusal:
            if not refusal.executed:
                raise
            return _make_refusal_response(request, refusal)
        return ApiResponse(200, body, request.id, {})

    def _authenticate(self, request: ApiRequest) -> None:
        key = _read_api_key(request.headers.get("Authorization", ""))
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

    def _find_endpoint(self, request: ApiRequest) -> tuple[ApiEndpoint, dict[str, str]]:
        for endpoint in ENDPOINTS:
            match = endpoint.pattern.fullmatch(request.path)
            if match and endpoint.method == request.method:
                return endpoint, match.groupdict()
        raise RefusalError(
            f"Unrecognized request URL ({request.method}: {request.path}). Please see "
            "https://stripe.com/docs or we can help at https://support.stripe.com/.",
            status=404,
        )


def make_server_error(request: ApiRequest, *, final: bool = True) -> ApiResponse:
    """Stripe asks not to retry a 500 that the idempotency key would only replay."""
    body = {
        "error": {
            "message": "An unknown error occurred. The Stripe stand-in was asked to fail here.",
            "type": "api_error",
        }
    }
    return ApiResponse(500, body, request.id, {"Stripe-Should-Retry": "false"} if final else {})


def make_rate_limit_error(request: ApiRequest) -> ApiResponse:
    body = {
        "error": {
            "message": "Request rate limit exceeded.",
            "type": "invalid_request_error",
            "code": "rate_limit",
        }
    }
    return ApiResponse(429, body, request.id, {})


def _make_refusal_response(request: ApiRequest, refusal: RefusalError) -> ApiResponse:
    return ApiResponse(refusal.status, refusal.body(), request.id, dict(refusal.headers))


def _read_api_key(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def _make_retrieve_handler(kind: str) -> EndpointHandler:
    def retrieve(account: StripeAccount, values: dict[str, Any], *, identifier: str) -> dict[str, Any]:
        del values
        return account.get(kind, identifier).body

    return retrieve


def _make_list_handler(kind: str, url: str) -> EndpointHandler:
    def listed(account: StripeAccount, values: dict[str, Any]) -> dict[str, Any]:
        return listing.list_objects(account, kind, values, url=url)

    return listed


def _retrieve_session(account: StripeAccount, values: dict[str, Any], *, identifier: str) -> dict[str, Any]:
    del values
    return checkout.get_current_session(account, identifier).body


def _list_sessions(account: StripeAccount, values: dict[str, Any]) -> dict[str, Any]:
    checkout.expire_due_sessions(account)
    return listing.list_objects(account, "checkout.session", values, url="/v1/checkout/sessions")


def _list_line_items(account: StripeAccount, values: dict[str, Any], *, identifier: str) -> dict[str, Any]:
    return listing.list_line_items(account, identifier, values)


def _retrieve_event(account: StripeAccount, values: dict[str, Any], *, identifier: str) -> dict[str, Any]:
    del values
    body = account.get("event", identifier).body
    return {**body, "pending_webhooks": account.postman.pending(identifier)}


def _make_endpoint(method: str, path: str, accepts: Any, handler: EndpointHandler) -> ApiEndpoint:
    pattern = re.compile("/v1/" + path.replace("{id}", r"(?P<identifier>[A-Za-z0-9_]+)"))
    return ApiEndpoint(method, pattern, accepts, handler)


_get = partial(_make_endpoint, "GET")
_post = partial(_make_endpoint, "POST")

_WARNING, _WARNINGS_URL = "radar.early_fraud_warning", "/v1/radar/early_fraud_warnings"

ENDPOINTS = (
    _post("checkout/sessions", checkout_library.SessionCreateParams, checkout.create_session),
    _get("checkout/sessions", checkout_library.SessionListParams, _list_sessions),
    _get("checkout/sessions/{id}", checkout_library.SessionRetrieveParams, _retrieve_session),
    _post("checkout/sessions/{id}", checkout_library.SessionModifyParams, checkout.update_session),
    _post("checkout/sessions/{id}/expire", checkout_library.SessionExpireParams, checkout.expire_session),
    _get("checkout/sessions/{id}/line_items", checkout_library.SessionListLineItemsParams, _list_line_items),
    _get(
        "payment_intents", library.PaymentIntentListParams, _make_list_handler("payment_intent", "/v1/payment_intents")
    ),
    _get("payment_intents/{id}", library.PaymentIntentRetrieveParams, _make_retrieve_handler("payment_intent")),
    _get("charges", library.ChargeListParams, _make_list_handler("charge", "/v1/charges")),
    _get("charges/{id}", library.ChargeRetrieveParams, _make_retrieve_handler("charge")),
    _post("refunds", library.RefundCreateParams, refunds.create_refund),
    _get("refunds", library.RefundListParams, _make_list_handler("refund", "/v1/refunds")),
    _get("refunds/{id}", library.RefundRetrieveParams, _make_retrieve_handler("refund")),
    _post("refunds/{id}", library.RefundModifyParams, refunds.update_refund),
    _get("disputes", library.DisputeListParams, _make_list_handler("dispute", "/v1/disputes")),
    _get("disputes/{id}", library.DisputeRetrieveParams, _make_retrieve_handler("dispute")),
    _get(
        "radar/early_fraud_warnings",
        radar_library.EarlyFraudWarningListParams,
        _make_list_handler(_WARNING, _WARNINGS_URL),
    ),
    _get(
        "radar/early_fraud_warnings/{id}",
        radar_library.EarlyFraudWarningRetrieveParams,
        _make_retrieve_handler(_WARNING),
    ),
    _get("events", library.EventListParams, listing.list_events),
    _get("events/{id}", library.EventRetrieveParams, _retrieve_event),
    _get(
        "balance_transactions/{id}",
        library.BalanceTransactionRetrieveParams,
        _make_retrieve_handler("balance_transaction"),
    ),
    _get("payment_methods/{id}", library.PaymentMethodRetrieveParams, _make_retrieve_handler("payment_method")),
)
