"""The shop's own format, for a carrier or a program between that can be told what to send: docs/carriers.md."""

import hmac
import time
from typing import Any

from orders.carriers.base import (
    LONGEST_PLACE,
    LONGEST_WORDS,
    REPLAY_WINDOW,
    BadNotice,
    CarrierScan,
    ParcelNotice,
    ScanMeaning,
    SignedRequest,
    check_scan_count,
    clean_text,
    make_notice,
    read_moment,
)

HEADER = "X-Carrier-Signature"


class GenericFormat:
    name = "Carrier"

    def is_signed(self, request: SignedRequest, secret: str) -> bool:
        parts = [part.strip().partition("=") for part in request.headers.get(HEADER, "").split(",")]
        sent_at = next((value for name, _, value in parts if name == "t"), "")
        if not _is_fresh(sent_at):
            return False
        expected = _compute_signature(request.body, secret, sent_at)
        given = [value for name, _, value in parts if name == "v1"]
        return any(hmac.compare_digest(value.lower().encode(), expected.encode()) for value in given)

    def read(self, told: Any) -> ParcelNotice:
        return make_notice(told["id"], told["number"], [_read_scan(each) for each in check_scan_count(told["scans"])])


def sign_body(body: bytes, secret: str, at: int) -> str:
    """The header for a body sent at `at`, in seconds since 1970."""
    return f"t={at},v1={_compute_signature(body, secret, str(at))}"


def _compute_signature(body: bytes, secret: str, sent_at: str) -> str:
    return hmac.new(secret.encode(), sent_at.encode() + b"." + body, "sha256").hexdigest()


def _is_fresh(sent_at: str) -> bool:
    is_number = sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= 12
    return is_number and abs(time.time() - int(sent_at)) <= REPLAY_WINDOW.total_seconds()


def _read_scan(told: Any) -> CarrierScan:
    try:
        meaning = ScanMeaning(told["meaning"])
    except ValueError as error:
        raise BadNotice(f"The meaning of a scan is one of {', '.join(ScanMeaning)}.") from error
    return CarrierScan(
        meaning,
        read_moment(told["at"]),
        words=clean_text(told.get("words"), longest=LONGEST_WORDS),
        place=clean_text(told.get("place"), longest=LONGEST_PLACE),
    )
