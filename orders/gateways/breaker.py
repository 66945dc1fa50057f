"""Remembers, for the whole shop, that Stripe hangs: then no request waits for it, and one question at a time tries it.

The memory is a row beside what else is stuck, so staff read of it, and it does not depend on Redis. Background work
asks on; the first answer that comes as fast as a request could wait for it ends the matter.
"""

from datetime import timedelta
from enum import Enum

from shop.retrying import loops
from shop.retrying.loops import DatabaseClock, Loop
from shop.retrying.models import StuckItem

SILENCES = 2  # in a row, before requests stop asking
TRIAL = timedelta(seconds=10)  # while one request tries whether Stripe is back, the others do not

AWAY = loops.register_loop(
    Loop(
        "stripe",
        "Stripe gives no answer",
        "Orders that are being paid wait, and go on by themselves once it answers. Look at status.stripe.com; if all "
        "is well there, check that STRIPE_SECRET_KEY is right.",
        first_pause_seconds=5,
        longest_pause_seconds=30,
    )
)


class BreakerState(Enum):
    """How a request finds the way to Stripe.

    WATCHED: one question got no answer, which may have been the question. TRIAL: closed, and this one request finds
    out whether it still is.
    """

    PASSING = "open"
    WATCHED = "watched"
    BLOCKED = "closed"
    TRIAL = "trial"


def check_breaker() -> BreakerState:
    """One query; two after Stripe was silent."""
    stuck = StuckItem.objects.filter(loop=AWAY.key)
    silences = stuck.values_list("attempt_count", flat=True).first()
    if silences is None:
        return BreakerState.PASSING
    if silences < SILENCES:
        return BreakerState.WATCHED
    is_ours = stuck.filter(retry_at__lte=DatabaseClock()).update(retry_at=DatabaseClock() + TRIAL) == 1
    return BreakerState.TRIAL if is_ours else BreakerState.BLOCKED


def record_silence(error: Exception) -> None:
    AWAY.record_failure(loops.WHOLE, error, subject=AWAY.title)


def record_answer() -> None:
    AWAY.clear()
