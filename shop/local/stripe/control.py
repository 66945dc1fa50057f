"""``/_control/``: the stand-in steered by tests. Every answer is JSON; what each does is in the docs page."""

import dataclasses
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from shop.local.stripe import disputes, payments, refunds, webhooks
from shop.local.stripe.account import StripeAccount
from shop.local.stripe.checkout import expire_due_sessions
from shop.local.stripe.errors import RefusalError, make_invalid_param_error
from shop.local.stripe.faults import FAULT_KINDS, Fault, FaultQueue

_REQUESTS_KEPT = 20_000
_CLICKS: dict[str, Callable[..., payments.PaymentOutcome]] = {
    "pay": payments.pay_session,
    "pay-by-debit": payments.pay_session_by_debit,
    "decline": payments.decline_payment,
    "challenge": payments.challenge_payment,
}
# What befalls a charge that was paid, without the shop's doing.
_AFTERMATH: dict[str, Callable[[StripeAccount, str, dict[str, Any]], dict[str, Any]]] = {
    "refund": refunds.create_dashboard_refund,
    "dispute": disputes.open_dispute,
    "warning": disputes.create_fraud_warning,
}


class Control:
    def __init__(self, account: StripeAccount, faults: FaultQueue) -> None:
        self.account = account
        self.faults = faults
        self.requests: deque[dict[str, Any]] = deque(maxlen=_REQUESTS_KEPT)
        self._settings = dataclasses.replace(account.postman.settings)

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        try:
            given = json.loads(body or b"{}")
            if not isinstance(given, dict):
                raise make_invalid_param_error("The body must be a JSON object.", "body")
            return 200, self._route(method, path.removeprefix("/_control/").split("/"), given)
        except RefusalError as refusal:
            return refusal.status, refusal.body()
        except (ValueError, TypeError, KeyError) as error:
            return 400, {"error": {"message": f"{type(error).__name__}: {error}"}}
        finally:
            self.account.postman.nudge()

    def _route(self, method: str, steps: list[str], given: dict[str, Any]) -> dict[str, Any]:
        match (method, *steps):
            case ("POST", "sessions", identifier, verb):
                return self._session(identifier, verb, given)
            case ("POST", "refunds", identifier):
                return refunds.settle_refund(self.account, identifier, status=given["status"])
            case ("POST", "events", identifier, "send"):
                return self._send(identifier, given)
            case ("POST", "charges", identifier, verb) if verb in _AFTERMATH:
                return _AFTERMATH[verb](self.account, identifier, given)
            case ("POST", "disputes", identifier):
                return disputes.change_dispute(self.account, identifier, **given)
        routes = {
            ("GET", "state"): self._state,
            ("GET", "requests"): lambda _: {"requests": list(self.requests)},
            ("DELETE", "requests"): self._forget,
            ("GET", "charges"): self._charges,
            ("POST", "charges"): lambda body: payments.charge_elsewhere(self.account, body),
            ("GET", "deliveries"): self._deliveries,
            ("GET", "faults"): lambda _: {"faults": self.faults.listed()},
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "webhooks"): self._webhooks,
            ("POST", "behaviour"): self._behaviour,
            ("POST", "age"): self._age,
            ("POST", "reset"): self._reset,
        }
        handler = routes.get((method, "/".join(steps)))
        if handler is None:
            raise RefusalError(f"Nothing to control at {method} {'/'.join(steps)}", status=404)
        return handler(given)

    def _session(self, identifier: str, verb: str, given: dict[str, Any]) -> dict[str, Any]:
        if verb == "authenticate":
            outcome = payments.authenticate_payment(self.account, identifier, passed=given.get("passed", True))
        elif verb in _CLICKS:
            outcome = _CLICKS[verb](self.account, identifier)
        elif verb == "settle-debit":
            outcome = payments.settle_debit(self.account, identifier, succeeds=given.get("succeeds", True))
        elif verb == "lapse":
            self._bring_forward(None, identifier)
            return self.account.get("checkout.session", identifier).body
        else:
            raise RefusalError(f"A session cannot {verb}", status=404)
        return {"outcome": outcome.value}

    def _send(self, identifier: str, given: dict[str, Any]) -> dict[str, Any]:
        self.account.get("event", identifier)
        for _ in range(given.get("times", 1)):
            self.account.postman.enqueue(identifier, chain=identifier)
        return {"queued": given.get("times", 1)}

    def _state(self, given: dict[str, Any]) -> dict[str, Any]:
        del given
        counts = {
            row["kind"]: row["n"]
            for row in self.account.store.rows("SELECT kind, count(*) AS n FROM objects GROUP BY kind")
        }
        return {
            "objects": counts,
            "requests": len(self.requests),
            "webhooks": {
                key: value
                for key, value in dataclasses.asdict(self.account.postman.settings).items()
                if key != "secret"
            },
            "behaviour": dataclasses.asdict(self.account.behaviour),
            "undelivered": self.account.postman.waiting(),
        }

    def _forget(self, given: dict[str, Any]) -> dict[str, Any]:
        del given
        self.requests.clear()
        return {}

    def _charges(self, given: dict[str, Any]) -> dict[str, Any]:
        del given
        rows = self.account.store.rows(
            "SELECT body, parent FROM objects WHERE kind = 'charge' "
            "AND json_extract(body, '$.status') = 'succeeded' ORDER BY seq"
        )
        charges = [{**json.loads(row["body"]), "checkout_session": row["parent"]} for row in rows]
        return {
            "count": len(charges),
            "amount": sum(charge["amount"] for charge in charges),
            "amount_refunded": sum(charge["amount_refunded"] for charge in charges),
            "charges": charges,
        }

    def _deliveries(self, given: dict[str, Any]) -> dict[str, Any]:
        del given
        rows = self.account.store.rows(
            "SELECT deliveries.*, json_extract(objects.body, '$.type') AS type FROM deliveries "
            "JOIN objects ON objects.id = deliveries.event ORDER BY deliveries.seq"
        )
        return {"deliveries": [dict(row) for row in rows]}

    def _add_fault(self, given: dict[str, Any]) -> dict[str, Any]:
        fault = Fault(**given)
        if fault.do not in FAULT_KINDS:
            raise make_invalid_param_error(f"`do` must be one of {', '.join(FAULT_KINDS)}", "do")
        self.faults.add(fault)
        return dataclasses.asdict(fault)

    def _clear_faults(self, given: dict[str, Any]) -> dict[str, Any]:
        del given
        self.faults.clear()
        return {}

    def _webhooks(self, given: dict[str, Any]) -> dict[str, Any]:
        names = {setting.name for setting in dataclasses.fields(webhooks.WebhookSettings)}
        if given.keys() - names:
            raise make_invalid_param_error(f"Unknown: {', '.join(sorted(given.keys() - names))}", "webhooks")
        if given.get("order", "sent") not in webhooks.DELIVERY_ORDERS:
            raise make_invalid_param_error(f"`order` must be one of {', '.join(webhooks.DELIVERY_ORDERS)}", "order")
        self.account.postman.change(**given)
        return {}

    def _behaviour(self, given: dict[str, Any]) -> dict[str, Any]:
        self.account.behaviour = dataclasses.replace(self.account.behaviour, **given)
        return dataclasses.asdict(self.account.behaviour)

    def _age(self, given: dict[str, Any]) -> dict[str, Any]:
        """Open sessions and idempotency keys are so much older; a key older than a day is forgotten."""
        seconds = int(given["seconds"])
        self.account.store.rows("UPDATE answers SET created = created - ?", (seconds,))
        return {"expired": self._bring_forward(seconds, None)}

    def _bring_forward(self, seconds: int | None, identifier: str | None) -> int:
        """The clock stays; the sessions' end moves towards it. All of it (None) ends now."""
        now = self.account.now()
        with self.account.store.transaction():
            self.account.store.rows(
                "UPDATE objects SET body = json_set(body, '$.expires_at', "
                "CASE WHEN :seconds IS NULL THEN :now "
                "ELSE json_extract(body, '$.expires_at') - :seconds END) "
                "WHERE kind = 'checkout.session' AND json_extract(body, '$.status') = 'open' "
                "AND (:id IS NULL OR id = :id)",
                {"seconds": seconds, "now": now, "id": identifier},
            )
            return expire_due_sessions(self.account)

    def _reset(self, given: dict[str, Any]) -> dict[str, Any]:
        del given
        self.account.postman.drain()
        self.faults.clear()
        self.requests.clear()
        self.account.store.clear()
        self.account.behaviour = type(self.account.behaviour)()
        self.account.postman.change(**dataclasses.asdict(self._settings))
        return {}
