"""The parcels the stand-in follows, kept in one file, and the webhooks that tell of them."""

import hashlib
import hmac
import json
import logging
import random
import secrets
import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from shop.local.carrier.life import LIVES, make_detail

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
RETRY_SECONDS = 1.0
GIVE_UP_AFTER = 60  # tries; the shop may be down for a minute
Step = tuple[str, str, str, str]


def _write_now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class FollowedParcel:
    """`ahead`: what is still to happen. `due_at`: when the next of it does, by the clock."""

    number: str
    due_at: float
    ahead: list[Step]
    details: list[dict[str, Any]] = field(default_factory=list)
    tracker_id: str = field(default_factory=lambda: f"trk_{secrets.token_hex(8)}")
    updated_at: str = field(default_factory=_write_now)


@dataclass
class Delivery:
    """A webhook on its way. `body` is what is signed."""

    event_id: str
    body: str
    due_at: float
    attempt_count: int = 0
    last_status: int | None = None
    is_done: bool = False


@dataclass
class PostingSettings:
    """Changed through `/_control/webhooks`: `copies` of each; held while `paused`, then let go in `order`."""

    url: str
    secret: str
    paused: bool = False
    copies: int = 1
    order: str = "sent"  # or "reversed", "shuffled"
    newer_signature: bool = True
    age_seconds: int = 0  # signed as if this long ago


class Depot:
    """All that the stand-in knows. Safe to use from several threads."""

    def __init__(self, folder: Path, posting: PostingSettings, *, pace_seconds: float) -> None:
        self._file = folder / "parcels.json"
        self._lock = threading.RLock()
        self._pace_seconds = pace_seconds
        self.posting = posting
        self.parcels: dict[str, FollowedParcel] = {}
        self.deliveries: list[Delivery] = []
        self.requests: list[dict[str, Any]] = []  # what the shop asked, for whoever wants to know what it tells
        self._load()

    def follow(self, number: str, *, life: str = "delivered") -> FollowedParcel:
        """Asked again for a number it is the same parcel. Raises KeyError for a life there is not."""
        with self._lock:
            if number not in self.parcels:
                ahead = list(LIVES[life])
                self.parcels[number] = FollowedParcel(number, time.time() + self._pace_seconds, ahead)
                self._save()
            return self.parcels[number]

    def find_tracker(self, tracker_id: str) -> FollowedParcel | None:
        with self._lock:
            return next((each for each in self.parcels.values() if each.tracker_id == tracker_id), None)

    def change_life(self, number: str, *, life: str) -> None:
        """What is still to happen becomes what that life has beyond what happened already."""
        with self._lock:
            parcel = self.parcels[number]
            parcel.ahead = list(LIVES[life][len(parcel.details) :])
            self._save()

    def scan(self, number: str, step: Step, *, at: str = "") -> None:
        """Something happens to it that its life did not have."""
        with self._lock:
            self._happen(self.parcels[number], step, at=at)
            self._save()

    def advance(self, *, everything: bool = False) -> int:
        """Lets happen what is due, or the next thing of every parcel. Returns how many things did."""
        with self._lock:
            now, count = time.time(), 0
            for parcel in self.parcels.values():
                if parcel.ahead and (everything or parcel.due_at <= now):
                    self._happen(parcel, parcel.ahead.pop(0))
                    parcel.due_at = now + self._pace_seconds
                    count += 1
            if count:
                self._save()
            return count

    def change_posting(self, **changes: Any) -> None:
        with self._lock:
            for name, value in changes.items():
                setattr(self.posting, name, value)

    def post_due(self) -> None:
        """Posts what is due; what is not answered with 2xx is tried again."""
        with self._lock:
            due = [] if self.posting.paused else [each for each in self.deliveries if self._is_due(each)]
            if self.posting.order == "reversed":
                due.reverse()
            elif self.posting.order == "shuffled":
                random.SystemRandom().shuffle(due)
        for delivery in due:
            self._post(delivery)

    def _is_due(self, delivery: Delivery) -> bool:
        is_waiting = not delivery.is_done and delivery.attempt_count < GIVE_UP_AFTER
        return is_waiting and delivery.due_at <= time.time()

    def _happen(self, parcel: FollowedParcel, step: Step, *, at: str = "") -> None:
        now = parcel.updated_at = _write_now()
        parcel.details.append(make_detail(step, at or now))
        event_id = f"evt_{secrets.token_hex(12)}"
        event = {
            "id": event_id,
            "object": "Event",
            "mode": "test",
            "description": "tracker.updated" if parcel.details[1:] else "tracker.created",
            "created_at": now,
            "status": "pending",
            "result": describe_tracker(parcel),
        }
        self.deliveries += [Delivery(event_id, json.dumps(event), time.time()) for _ in range(self.posting.copies)]

    def _post(self, delivery: Delivery) -> None:
        body = delivery.body.encode()
        headers = {"Content-Type": "application/json", "User-Agent": "EasyPost/v2", **self._sign(body)}
        try:
            with requests.Session() as http:
                http.trust_env = False
                answer = http.post(self.posting.url, data=body, headers=headers, timeout=TIMEOUT_SECONDS)
            delivery.last_status = answer.status_code
        except requests.RequestException as error:
            delivery.last_status = None
            logger.debug("%s cannot be reached: %s", self.posting.url, error)
        delivery.attempt_count += 1
        delivery.is_done = delivery.last_status is not None and 200 <= delivery.last_status < 300
        delivery.due_at = time.time() + RETRY_SECONDS

    def _sign(self, body: bytes) -> dict[str, str]:
        key = self.posting.secret.encode()
        headers = {"X-Hmac-Signature": _compute_header(key, body)}
        if self.posting.newer_signature:
            sent_at = datetime.fromtimestamp(time.time() - self.posting.age_seconds, UTC)
            sent = sent_at.strftime("%a, %d %b %Y %H:%M:%S +0000")
            path = urlsplit(self.posting.url).path
            signed = f"{sent}POST{path}".encode() + body
            headers |= {"X-Hmac-Signature-V2": _compute_header(key, signed), "X-Timestamp": sent, "X-Path": path}
        return headers

    def _save(self) -> None:
        kept = json.dumps([asdict(parcel) for parcel in self.parcels.values()])
        new = self._file.with_suffix(".new")
        new.write_text(kept)
        new.replace(self._file)

    def _load(self) -> None:
        if self._file.exists():
            for row in json.loads(self._file.read_text()):
                row["ahead"] = [tuple(step) for step in row["ahead"]]
                self.parcels[row["number"]] = FollowedParcel(**row)


def describe_tracker(parcel: FollowedParcel) -> dict[str, Any]:
    last = parcel.details[-1] if parcel.details else None
    return {
        "id": parcel.tracker_id,
        "object": "Tracker",
        "mode": "test",
        "tracking_code": parcel.number,
        "updated_at": parcel.updated_at,
        "status": last["status"] if last else "unknown",
        "status_detail": last["status_detail"] if last else "unknown",
        "signed_by": None,
        "tracking_details": parcel.details,
    }


def _compute_header(key: bytes, signed: bytes) -> str:
    return f"hmac-sha256-hex={hmac.new(key, signed, hashlib.sha256).hexdigest()}"
