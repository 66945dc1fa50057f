"""Checkout Sessions: made, changed, expired. https://docs.stripe.com/api/checkout/sessions"""

import re
from typing import Any
from urllib.parse import urlsplit

from shop.local.stripe import money, objects
from shop.local.stripe.account import StripeAccount
from shop.local.stripe.errors import (
    RefusalError,
    make_invalid_param_error,
    make_missing_param_error,
    make_not_simulated_error,
)
from shop.local.stripe.store import StoredObject

_SIMULATED_PARAMS = frozenset(
    [
        "adaptive_pricing",
        "allow_promotion_codes",
        "automatic_tax",
        "billing_address_collection",
        "cancel_url",
        "client_reference_id",
        "currency",
        "customer",
        "customer_creation",
        "customer_email",
        "expand",
        "expires_at",
        "integration_identifier",
        "invoice_creation",
        "line_items",
        "locale",
        "metadata",
        "mode",
        "origin_context",
        "payment_intent_data",
        "payment_method_types",
        "phone_number_collection",
        "shipping_options",
        "submit_type",
        "success_url",
        "ui_mode",
    ]
)
# Known to Stripe and harmless as long as they ask for nothing.
_ONLY_SWITCHED_OFF = {
    "adaptive_pricing": {"enabled": False},
    "allow_promotion_codes": False,
    "automatic_tax": {"enabled": False},
    "billing_address_collection": "auto",
    "customer_creation": "if_required",
    "invoice_creation": {"enabled": False},
    "mode": "payment",
    "payment_method_types": ["card"],
    "phone_number_collection": {"enabled": False},
    "ui_mode": "hosted_page",
}
_INTENT_DATA = frozenset(
    [
        "capture_method",
        "description",
        "metadata",
        "receipt_email",
        "shipping",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_group",
    ]
)
_SHORTEST_LIFETIME, _LONGEST_LIFETIME = 30 * 60, 24 * 3600
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_CURRENCY = re.compile(r"^[a-zA-Z]{3}$")


def create_session(account: StripeAccount, params: dict[str, Any]) -> dict[str, Any]:
    now = account.now()
    _check_session_params(params, now)
    session = objects.make_session(
        identifier=objects.make_id("cs_test_a1", 58), now=now, params=_drop_empty_metadata(params)
    )
    session["url"] = account.page_url(session["id"])
    lines = [
        _make_session_line(account, now, given, f"line_items[{i}]") for i, given in enumerate(params["line_items"])
    ]
    session["currency"] = _get_single_currency(lines)
    session["amount_subtotal"] = sum(line["amount_subtotal"] for line in lines)
    _add_shipping(session, params.get("shipping_options", []))
    session["amount_total"] = session["amount_subtotal"] + session["total_details"]["amount_shipping"]
    _check_total(session)
    account.store.add(session, private={"payment_intent_data": params.get("payment_intent_data", {})})
    for line in lines:
        account.store.add(line, parent=session["id"])
    return session


def update_session(account: StripeAccount, params: dict[str, Any], *, identifier: str) -> dict[str, Any]:
    strange = set(params) - {"metadata", "expand"}
    if strange:
        raise make_not_simulated_error(min(strange))
    stored = get_current_session(account, identifier)
    merge_metadata(stored.body, params.get("metadata"))
    account.store.save(stored)
    return stored.body


def merge_metadata(body: dict[str, Any], given: dict[str, str] | None) -> None:
    """An empty value unsets its key; empty metadata unsets all."""
    if given is None:
        return
    merged = {**body["metadata"], **given} if given else {}
    body["metadata"] = {key: value for key, value in merged.items() if value}


def get_current_session(account: StripeAccount, identifier: str) -> StoredObject:
    """The session as of this moment: one past its time is expired first, whether or not the timer came by."""
    stored = account.get("checkout.session", identifier)
    if stored.body["status"] == "open" and stored.body["expires_at"] <= account.now():
        mark_session_expired(account, stored)
    return stored


def expire_session(account: StripeAccount, params: dict[str, Any], *, identifier: str) -> dict[str, Any]:
    del params
    stored = get_current_session(account, identifier)
    if stored.body["status"] != "open":
        raise RefusalError(
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of `{stored.body['status']}`.",
            executed=True,
        )
    mark_session_expired(account, stored)
    return stored.body


def expire_due_sessions(account: StripeAccount) -> int:
    """A transaction, and so the writer's turn, only when there is something to do."""
    if not account.store.due_sessions(account.now()):
        return 0
    with account.store.transaction():
        due = account.store.due_sessions(account.now())
        for identifier in due:
            get_current_session(account, identifier)
    return len(due)


def mark_session_expired(account: StripeAccount, stored: StoredObject) -> None:
    session = stored.body
    session["status"], session["url"] = "expired", None
    account.store.save(stored)
    _cancel_intent(account, session)
    account.emit("checkout.session.expired", session, chain=session["id"])


def _cancel_intent(account: StripeAccount, session: dict[str, Any]) -> None:
    intent = account.store.find(session["payment_intent"] or "", "payment_intent")
    if intent is None or intent.body["status"] in ("succeeded", "canceled"):
        return
    intent.body |= {"status": "canceled", "canceled_at": account.now(), "cancellation_reason": "expired"}
    intent.body["next_action"] = None
    account.store.save(intent)
    account.emit("payment_intent.canceled", intent.body, chain=session["id"])


def _drop_empty_metadata(params: dict[str, Any]) -> dict[str, Any]:
    filled = {key: value for key, value in params.get("metadata", {}).items() if value}
    return {**params, "metadata": filled}


def _check_session_params(params: dict[str, Any], now: int) -> None:
    for name in ("mode", "line_items", "success_url"):
        if name not in params:
            raise make_missing_param_error(name)
    _check_simulated(params)
    for name in ("success_url", "cancel_url"):
        _check_url(name, params.get(name))
    _check_email(params)
    if len(params.get("client_reference_id", "")) > 200:
        raise make_invalid_param_error("Invalid string: must be at most 200 characters", "client_reference_id")
    _check_expiry(params.get("expires_at"), now)
    if not 1 <= len(params["line_items"]) <= 100:
        raise make_invalid_param_error("The `line_items` parameter must hold between 1 and 100 items.", "line_items")


def _check_simulated(params: dict[str, Any]) -> None:
    strange = set(params) - _SIMULATED_PARAMS
    if strange:
        raise make_not_simulated_error(min(strange))
    for name, harmless in _ONLY_SWITCHED_OFF.items():
        if params.get(name, harmless) != harmless:
            raise make_not_simulated_error(name)
    intent_data = params.get("payment_intent_data", {})
    if set(intent_data) - _INTENT_DATA:
        raise make_not_simulated_error(f"payment_intent_data[{min(set(intent_data) - _INTENT_DATA)}]")
    if intent_data.get("capture_method") == "manual":
        raise make_not_simulated_error("payment_intent_data[capture_method]")
    if "customer" in params:
        raise RefusalError(f"No such customer: '{params['customer']}'", code="resource_missing", param="customer")


def _check_url(name: str, url: str | None) -> None:
    if url is None:
        return
    parts = urlsplit(url.replace("{CHECKOUT_SESSION_ID}", "x"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise make_invalid_param_error("Not a valid URL", name, "url_invalid")


def _check_email(params: dict[str, Any]) -> None:
    email = params.get("customer_email")
    if email is not None and not _EMAIL.match(email):
        raise make_invalid_param_error(f"Invalid email address: {email}", "customer_email", "email_invalid")


def _check_expiry(expires_at: int | None, now: int) -> None:
    if expires_at is None:
        return
    if expires_at < now + _SHORTEST_LIFETIME:
        raise make_invalid_param_error(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
            "expires_at",
        )
    if expires_at > now + _LONGEST_LIFETIME:
        raise make_invalid_param_error(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            "expires_at",
        )


def _make_session_line(account: StripeAccount, now: int, given: dict[str, Any], path: str) -> dict[str, Any]:
    for name in ("tax_rates", "adjustable_quantity"):
        if given.get(name) not in (None, [], {"enabled": False}):
            raise make_not_simulated_error(f"{path}[{name}]")
    if ("price" in given) == ("price_data" in given):
        raise make_missing_param_error(f"{path}[price]")
    if "quantity" not in given:
        raise make_missing_param_error(f"{path}[quantity]")
    if given["quantity"] < 1:
        raise make_invalid_param_error(
            "This value must be greater than or equal to 1.", f"{path}[quantity]", "parameter_invalid_integer"
        )
    if "price" in given:
        price = account.get("price", given["price"], param=f"{path}[price]", status=400).body
    else:
        price = _create_inline_price(account, now, given["price_data"], f"{path}[price_data]")
    product = account.store.find(price["product"], "product")
    name = product.body["name"] if product else ""
    return objects.make_line_item(price=price, name=name, quantity=given["quantity"], metadata=given.get("metadata"))


def _create_inline_price(account: StripeAccount, now: int, data: dict[str, Any], path: str) -> dict[str, Any]:
    _check_price(data, path)
    product_data = data["product_data"]
    product = objects.make_product(now=now, data=product_data)
    account.store.add(product)
    price = objects.make_price(
        now=now,
        product_id=product["id"],
        data={**data, "currency": data["currency"].lower(), "unit_amount": _read_unit_amount(data, path)},
    )
    account.store.add(price)
    return price


def _check_price(data: dict[str, Any], path: str) -> None:
    if not _CURRENCY.match(data["currency"]):
        raise make_invalid_param_error(f"Invalid currency: {data['currency']}", f"{path}[currency]")
    if "recurring" in data:
        raise make_invalid_param_error(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode "
            "or use only one-time prices.",
            f"{path}[recurring]",
        )
    if "product" in data:
        raise RefusalError(f"No such product: '{data['product']}'", code="resource_missing", param=f"{path}[product]")
    if "product_data" not in data:
        raise make_missing_param_error(f"{path}[product_data]")


def _read_unit_amount(data: dict[str, Any], path: str) -> int:
    if ("unit_amount" in data) == ("unit_amount_decimal" in data):
        raise make_missing_param_error(f"{path}[unit_amount]")
    if "unit_amount_decimal" in data and data["unit_amount_decimal"] % 1:
        raise make_not_simulated_error(f"{path}[unit_amount_decimal]")
    amount = int(data["unit_amount"] if "unit_amount" in data else data["unit_amount_decimal"])
    if amount < 0:
        raise make_invalid_param_error(
            "Invalid non-negative integer", f"{path}[unit_amount]", "parameter_invalid_integer"
        )
    money.check_amount(amount, data["currency"].lower(), f"{path}[unit_amount]")
    return amount


def _get_single_currency(lines: list[dict[str, Any]]) -> str:
    currencies = {line["currency"] for line in lines}
    if len(currencies) > 1:
        raise make_invalid_param_error("All line items must have the same currency.", "line_items")
    currency: str = currencies.pop()
    return currency


def _add_shipping(session: dict[str, Any], options: list[dict[str, Any]]) -> None:
    """Stripe preselects the first option; the stand-in's page offers no second one."""
    if not options:
        return
    if len(options) > 1:
        raise make_not_simulated_error("shipping_options[1]")
    rate = options[0].get("shipping_rate_data")
    if rate is None or "fixed_amount" not in rate:
        raise make_not_simulated_error("shipping_options[0][shipping_rate]")
    fixed = rate["fixed_amount"]
    if fixed["currency"].lower() != session["currency"]:
        raise make_invalid_param_error("The shipping rate must use the session's currency.", "shipping_options")
    identifier = objects.make_id("shr_1")
    session["shipping_options"] = [{"shipping_amount": fixed["amount"], "shipping_rate": identifier}]
    session["shipping_cost"] = {
        "amount_subtotal": fixed["amount"],
        "amount_tax": 0,
        "amount_total": fixed["amount"],
        "shipping_rate": identifier,
    }
    session["total_details"]["amount_shipping"] = fixed["amount"]


def _check_total(session: dict[str, Any]) -> None:
    total, currency = session["amount_total"], session["currency"]
    if 0 < total < money.get_least_amount(currency):
        raise RefusalError(
            "The Checkout Session's total amount due must add up to at least "
            f"{money.format_minor_amount(money.get_least_amount(currency), currency)} {currency}",
            code="amount_too_small",
        )
    if total > money.MOST_AMOUNT:
        raise RefusalError(
            "The Checkout Session's total amount due must be no more than "
            f"{money.format_minor_amount(money.MOST_AMOUNT, currency)} {currency}",
            code="amount_too_large",
        )
