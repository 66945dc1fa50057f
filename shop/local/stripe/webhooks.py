"""Signed events, posted from a queue on disk. https://docs.stripe.com/webhooks

A delivery that is not answered with 2xx is tried again, later and later, for three days, as Stripe does in
days what is done here in seconds. Deliveries wait in the store, so they outlive a ``kill -9``.
"""

import hashlib
import hmac
import json
import logging
import secrets
import sqlite3
import threading
import time
from dataclasses import dataclass
from typing import Any

import requests

from shop.local.stripe.store import StandInStore

logger = logging.getLogger(__name__)

_GIVE_UP_SECONDS = 3 * 24 * 3600
_LONGEST_PAUSE_SECONDS = 15.0
_TIMEOUT_SECONDS = 20
_WORKERS = 4


@dataclass
class WebhookSettings:
    """Where and how events are posted; all but the address is changed through ``/_control/webhooks``."""

    url: str
    secret: str
    paused: bool = False
    copies: int = 1
    order: str = "sent"  # or "reversed", "shuffled"
    spread_seconds: float = 0.0  # each delivery waits up to this long, at random
    age_seconds: int = 0  # signed as if this long ago
    retry_seconds: float = 1.0  # the first pause after a failure; doubles


DELIVERY_ORDERS = ("sent", "reversed", "shuffled")
_RANDOM = secrets.SystemRandom()


def sign_payload(body: bytes, secret: str, at: int) -> str:
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class WebhookSender:
    def __init__(self, store: StandInStore, settings: WebhookSettings) -> None:
        self.settings = settings
        self._store = store
        self._wake = threading.Condition()
        self._in_hand: dict[int, str] = {}
        self._fresh = False
        self._stopped = False
        self._reachable = True
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for number in range(_WORKERS):
            thread = threading.Thread(target=self._run_worker, name=f"webhooks-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout=1)

    def enqueue(self, event_id: str, *, chain: str) -> None:
        """In the caller's transaction; `nudge` once that is committed."""
        if not self.settings.url:
            return
        self._fresh = True
        for _ in range(self.settings.copies):
            due_at = time.time() + _RANDOM.uniform(0, self.settings.spread_seconds)
            self._store.rows(
                "INSERT INTO deliveries (event, chain, due_at) VALUES (?, ?, ?)", (event_id, chain, due_at)
            )

    def nudge(self) -> None:
        """After the commit: wakes the workers if there is something new."""
        if self._fresh:
            self._fresh = False
            with self._wake:
                self._wake.notify_all()

    def change(self, **changes: Any) -> None:
        with self._wake:
            for name, value in changes.items():
                setattr(self.settings, name, value)
            if not self.settings.paused:
                self._store.rows("UPDATE deliveries SET due_at = ? WHERE state = 'waiting'", (time.time(),))
            self._wake.notify_all()

    def drain(self) -> None:
        """Starts nothing more and waits for what is being posted, so that none of it arrives later."""
        self.change(paused=True)
        with self._wake:
            self._wake.wait_for(lambda: not self._in_hand, timeout=_TIMEOUT_SECONDS)

    def pending(self, event_id: str) -> int:
        rows = self._store.rows(
            "SELECT count(*) AS n FROM deliveries WHERE event = ? AND state = 'waiting'", (event_id,)
        )
        return int(rows[0]["n"])

    def waiting(self) -> int:
        rows = self._store.rows("SELECT count(*) AS n FROM deliveries WHERE state = 'waiting'")
        return int(rows[0]["n"])

    def _run_worker(self) -> None:
        with requests.Session() as http:
            http.trust_env = False
            while (job := self._claim()) is not None:
                try:
                    self._deliver(http, *job)
                except sqlite3.ProgrammingError:
                    if not self._stopped:  # the store is closed; the delivery waits in it
                        raise
                finally:
                    with self._wake:
                        del self._in_hand[job[0]]
                        self._wake.notify_all()

    def _claim(self) -> tuple[int, str] | None:
        """The next delivery due; one of a chain at a time, or one at all, so that the order asked for holds."""
        with self._wake:
            while not self._stopped:
                job = None if self.settings.paused else self._find_next()
                if job is not None:
                    self._in_hand[job[0]] = job[2]
                    return job[0], job[1]
                self._wake.wait(timeout=self._get_idle_seconds())
        return None

    def _find_next(self) -> tuple[int, str, str] | None:
        if self.settings.order != "sent" and self._in_hand:
            return None
        rows = self._store.rows(
            "SELECT seq, event, chain FROM deliveries WHERE state = 'waiting' AND due_at <= :now "
            "AND chain NOT IN (SELECT value FROM json_each(:chains)) "
            "AND seq NOT IN (SELECT value FROM json_each(:seqs)) "
            "ORDER BY CASE :order WHEN 'sent' THEN due_at WHEN 'reversed' THEN -seq ELSE random() END, seq LIMIT 1",
            {
                "now": time.time(),
                "chains": json.dumps(list(self._in_hand.values())),
                "seqs": json.dumps(list(self._in_hand)),
                "order": self.settings.order,
            },
        )
        return (rows[0]["seq"], rows[0]["event"], rows[0]["chain"]) if rows else None

    def _get_idle_seconds(self) -> float:
        rows = self._store.rows("SELECT min(due_at) AS due_at FROM deliveries WHERE state = 'waiting'")
        due_at: float | None = rows[0]["due_at"]
        if due_at is None or self.settings.paused:
            return 5.0
        return min(5.0, max(0.02, due_at - time.time()))

    def _deliver(self, http: requests.Session, seq: int, event_id: str) -> None:
        event = self._store.find(event_id, "event")
        if event is None:
            self._store.rows("DELETE FROM deliveries WHERE seq = ?", (seq,))
            return
        status = self._post(http, {**event.body, "pending_webhooks": self.pending(event_id)})
        if status is not None and 200 <= status < 300:
            self._store.rows(
                "UPDATE deliveries SET state = 'delivered', attempt_count = attempt_count + 1, "
                "last_status = ? WHERE seq = ?",
                (status, seq),
            )
            return
        self._retry_later(seq, status, event.body["created"])

    def _post(self, http: requests.Session, event: dict[str, Any]) -> int | None:
        body = json.dumps(event, indent=2).encode()
        at = int(time.time()) - self.settings.age_seconds
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": sign_payload(body, self.settings.secret, at),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            answer = http.post(
                self.settings.url, data=body, headers=headers, timeout=_TIMEOUT_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            self._log_reachability(reachable=False, why=type(error).__name__)
            return None
        self._log_reachability(reachable=True)
        return answer.status_code

    def _log_reachability(self, *, reachable: bool, why: str = "") -> None:
        """One line when the shop goes and one when it is back, not one for each of a thousand webhooks."""
        if reachable == self._reachable:
            return
        self._reachable = reachable
        if reachable:
            logger.info("Webhooks reach %s again", self.settings.url)
        else:
            logger.warning("Webhooks cannot reach %s (%s); they wait and are tried again", self.settings.url, why)

    def _retry_later(self, seq: int, status: int | None, created: int) -> None:
        with self._store.transaction():
            rows = self._store.rows("SELECT attempt_count FROM deliveries WHERE seq = ?", (seq,))
            if not rows:
                return
            tried = rows[0]["attempt_count"]
            pause = min(_LONGEST_PAUSE_SECONDS, self.settings.retry_seconds * 2 ** min(tried, 16))
            state = "waiting" if time.time() - created < _GIVE_UP_SECONDS else "given_up"
            self._store.rows(
                "UPDATE deliveries SET attempt_count = attempt_count + 1, due_at = ?, state = ?, "
                "last_status = ? WHERE seq = ?",
                (time.time() + pause, state, status, seq),
            )
