"""Lists, cursors and `expand`. https://docs.stripe.com/api/pagination"""

from collections.abc import Callable
from typing import Any

from shop.local.stripe import checkout
from shop.local.stripe.account import StripeAccount
from shop.local.stripe.errors import RefusalError, make_invalid_param_error, make_no_such_object_error

# Which SQL condition answers a filter. The keys are parameters of the library's types.
_FILTERS = {
    "payment_intent": "json_extract(body, '$.payment_intent') = ?",
    "charge": "json_extract(body, '$.charge') = ?",
    "status": "json_extract(body, '$.status') = ?",
    "type": "json_extract(body, '$.type') GLOB ?",
    "delivery_success": "NOT EXISTS (SELECT 1 FROM deliveries WHERE event = objects.id AND state != 'delivered') = ?",
    "customer_details": "json_extract(body, '$.customer_details.email') = ?",
}
_RANGES = {"gt": "created > ?", "gte": "created >= ?", "lt": "created < ?", "lte": "created <= ?"}
# Nothing here ever belongs to one of these, so asking for theirs finds nothing.
_NEVER_MATCHING = frozenset(["customer", "customer_account", "payment_link", "subscription", "transfer_group"])
_EXPANDABLE = {
    "checkout.session": {
        "payment_intent",
        "customer",
        "invoice",
        "setup_intent",
        "subscription",
        "payment_link",
    },
    "payment_intent": {"latest_charge", "payment_method", "customer", "review", "on_behalf_of"},
    "charge": {"balance_transaction", "payment_intent", "customer", "failure_balance_transaction", "review"},
    "refund": {"balance_transaction", "charge", "payment_intent", "failure_balance_transaction"},
    "dispute": {"charge", "payment_intent"},
    "radar.early_fraud_warning": {"charge", "payment_intent"},
    "price": {"product"},
    "balance_transaction": {"source"},
}


def list_objects(
    account: StripeAccount, kind: str, params: dict[str, Any], *, url: str, extra: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Newest first, as Stripe lists everything but line items."""
    where = {**_build_conditions(params), **(extra or {})}
    return _read_list_page(account, kind, params, url=url, where=where, oldest_first=False)


def list_line_items(account: StripeAccount, session_id: str, params: dict[str, Any]) -> dict[str, Any]:
    checkout.get_current_session(account, session_id)
    url = f"/v1/checkout/sessions/{session_id}/line_items"
    return _read_list_page(account, "item", params, url=url, where={"parent = ?": session_id}, oldest_first=True)


def list_events(account: StripeAccount, params: dict[str, Any]) -> dict[str, Any]:
    if "type" in params and "types" in params:
        raise make_invalid_param_error("You may only specify one of these parameters: type, types.", "type")
    extra: dict[str, Any] = {}
    if "types" in params:
        listed_types = f",{','.join(params['types'])},"
        extra["instr(?, ',' || json_extract(body, '$.type') || ',') > 0"] = listed_types
    listed = list_objects(account, "event", params, url="/v1/events", extra=extra)
    for event in listed["data"]:
        event["pending_webhooks"] = account.postman.pending(event["id"])
    return listed


def expand_properties(account: StripeAccount, body: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    if any(path.count(".") > 3 for path in paths):
        raise make_invalid_param_error("You cannot expand more than 4 levels of a property.", "expand")
    for path in paths:
        _expand_path(account, body, path.split("."), path)
    return body


def _read_list_page(
    account: StripeAccount,
    kind: str,
    params: dict[str, Any],
    *,
    url: str,
    where: dict[str, Any],
    oldest_first: bool,
) -> dict[str, Any]:
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise make_invalid_param_error("Invalid limit: must be between 1 and 100", "limit", "parameter_invalid_integer")
    backwards = "ending_before" in params
    where |= _build_cursor_condition(account, kind, params, oldest_first=oldest_first)
    found = account.store.page(kind, where=where, limit=limit + 1, oldest_first=oldest_first != backwards)
    data = found[:limit]
    if backwards:
        data.reverse()
    return {"object": "list", "data": data, "has_more": len(found) > limit, "url": url}


def _build_conditions(params: dict[str, Any]) -> dict[str, Any]:
    if _NEVER_MATCHING & params.keys():
        return {"? IS NULL": "never"}
    where: dict[str, Any] = {}
    for name, condition in _FILTERS.items():
        if name in params:
            value = params[name]
            where[condition] = value["email"] if isinstance(value, dict) else value
    created = params.get("created", {})
    bounds = created if isinstance(created, dict) else {"gte": created, "lte": created}
    for name, bound in bounds.items():
        where[_RANGES[name]] = bound
    return where


def _build_cursor_condition(
    account: StripeAccount, kind: str, params: dict[str, Any], *, oldest_first: bool
) -> dict[str, Any]:
    if "starting_after" in params and "ending_before" in params:
        raise make_invalid_param_error(
            "You may only specify one of these parameters: ending_before, starting_after.", "ending_before"
        )
    for name, older in (("starting_after", not oldest_first), ("ending_before", oldest_first)):
        if name in params:
            seq = account.store.position(params[name], kind)
            if seq is None:
                raise make_no_such_object_error(kind, params[name], param=name, status=400)
            return {"seq < ?" if older else "seq > ?": seq}
    return {}


def _expand_path(account: StripeAccount, body: Any, steps: list[str], whole: str) -> None:
    if body is None:
        return
    step, rest = steps[0], steps[1:]
    if step == "data" and body.get("object") == "list":
        for item in body["data"]:
            _expand_path(account, item, rest, whole)
        return
    if step in _INCLUDABLE.get(body.get("object", ""), {}):
        body.setdefault(step, _INCLUDABLE[body["object"]][step](account, body))
    elif step in _EXPANDABLE.get(body.get("object", ""), set()):
        body[step] = _resolve_reference(account, body.get(step))
    elif not (rest and isinstance(body.get(step), dict)):
        raise RefusalError(f"This property cannot be expanded ({whole}).", param="expand")
    if rest:
        _expand_path(account, body[step], rest, whole)


def _resolve_reference(account: StripeAccount, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    stored = account.store.find(value)
    return stored.body if stored else value


def _read_session_lines(account: StripeAccount, session: dict[str, Any]) -> dict[str, Any]:
    return list_line_items(account, session["id"], {"limit": 100})


def _list_charge_refunds(account: StripeAccount, charge: dict[str, Any]) -> dict[str, Any]:
    return list_objects(account, "refund", {"charge": charge["id"]}, url=f"/v1/charges/{charge['id']}/refunds")


_INCLUDABLE: dict[str, dict[str, Callable[[StripeAccount, dict[str, Any]], dict[str, Any]]]] = {
    "checkout.session": {"line_items": _read_session_lines},
    "charge": {"refunds": _list_charge_refunds},
}
