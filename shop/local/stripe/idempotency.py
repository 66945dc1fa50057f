"""The first answer to an idempotency key, given again. https://docs.stripe.com/api/idempotent_requests"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from shop.local.stripe.errors import RefusalError
from shop.local.stripe.store import StandInStore

_KEPT_SECONDS = 24 * 3600
_LONGEST_KEY = 255


@dataclass(frozen=True)
class ApiResponse:
    status: int
    body: dict[str, Any]
    request_id: str
    headers: dict[str, str]


class IdempotencyKeys:
    def __init__(self, store: StandInStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._in_progress: set[str] = set()

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """One request at a time per key; who comes meanwhile is told so, as Stripe does, with 409.

        Held in memory only: what a killed process was doing was rolled back.
        """
        if len(key) > _LONGEST_KEY:
            raise RefusalError("Idempotency keys can be at most 255 characters long.", type="idempotency_error")
        with self._lock:
            if key in self._in_progress:
                raise RefusalError(
                    "There is currently another in-progress request using this Idempotent Key (that probably "
                    "means you submitted twice, and the other request is still going through): "
                    f"{key}. Keys can only be used by one request at a time.",
                    status=409,
                    type="idempotency_error",
                    code="idempotency_key_in_use",
                )
            self._in_progress.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._in_progress.discard(key)

    def recall(self, key: str, *, path: str, params: dict[str, Any], now: int) -> ApiResponse | None:
        """The first answer; None for a key that is new, or older than a day and so forgotten."""
        self._store.rows("DELETE FROM answers WHERE created < ?", (now - _KEPT_SECONDS,))
        rows = self._store.rows("SELECT * FROM answers WHERE key = ?", (key,))
        if not rows:
            return None
        row = rows[0]
        if row["path"] != path:
            raise _make_reused_key_error(
                "Keys for idempotent requests can only be used for the same endpoint they were first "
                f"used for ('{path}' vs '{row['path']}').",
                key,
            )
        if row["request"] != _fingerprint_params(params):
            raise _make_reused_key_error(
                "Keys for idempotent requests can only be used with the same parameters they were first used with.",
                key,
            )
        headers = json.loads(row["headers"])
        return ApiResponse(row["status"], json.loads(row["body"]), headers.pop("Request-Id"), headers)

    def keep(self, key: str, *, path: str, params: dict[str, Any], answer: ApiResponse, now: int) -> None:
        self._store.rows(
            "INSERT INTO answers (key, path, request, status, body, headers, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                key,
                path,
                _fingerprint_params(params),
                answer.status,
                json.dumps(answer.body),
                json.dumps({**answer.headers, "Request-Id": answer.request_id}),
                now,
            ),
        )


def _fingerprint_params(params: dict[str, Any]) -> str:
    return json.dumps(params, sort_keys=True)


def _make_reused_key_error(message: str, key: str) -> RefusalError:
    return RefusalError(
        f"{message} Try using a key other than '{key}' if you meant to execute a different request.",
        type="idempotency_error",
    )
