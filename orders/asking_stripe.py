"""Background work that asks Stripe about one thing after another: each stands or falls alone.

What Stripe answers badly about is put off by itself. What gets no answer at all is followed by a question about nothing
in particular: when that is answered, the item was at fault; when it is not, Stripe is away, nobody is to blame, and the
run ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from orders.gateways import stripe
from orders.gateways.stripe import Busy, Unreachable
from shop.retrying import loops
from shop.retrying.loops import Loop

AWAY = loops.register(
    Loop(
        "stripe",
        "Stripe gives no answer",
        "Orders that are being paid wait, and go on by themselves once it answers. Look at status.stripe.com; if all "
        "is well there, check that STRIPE_SECRET_KEY is right.",
        first_pause_seconds=5,
    )
)


class StripeAway(Unreachable):
    """Stripe answers nothing at all now; whatever else there is to ask can wait."""


@contextmanager
def attempt_at_stripe(loop: Loop, item: object, *, subject: str) -> Iterator[None]:
    """As `Loop.attempt`. Raises `StripeAway` when the trouble is not the item's."""
    try:
        yield
    except Busy:
        return  # somebody else is asking the same this moment
    except Unreachable as trouble:
        if not stripe.is_answering():
            AWAY.record_failure("", trouble, subject=AWAY.title)
            raise StripeAway(str(trouble)) from trouble
        with loop.attempt(item, subject=subject):
            raise
    except Exception:
        with loop.attempt(item, subject=subject):
            raise
    else:
        loop.clear(item)
    AWAY.clear()
