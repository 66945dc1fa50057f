"""Background work that asks Stripe about one thing after another: each stands or falls alone.

What Stripe answers badly about is put off by itself. What gets no answer at all is followed by a question about nothing
in particular: when that is answered, the item was at fault; when it is not, Stripe is away, nobody is to blame, and the
run ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from orders.gateways import breaker, stripe
from orders.gateways.stripe import StripeBusy, StripeUnreachable
from shop.retrying.loops import Loop


class StripeUnavailable(StripeUnreachable):
    """Stripe answers nothing at all now; whatever else there is to ask can wait."""


@contextmanager
def attempt_at_stripe(loop: Loop, item: object, *, subject: str) -> Iterator[None]:
    """As `Loop.attempt`. Raises `StripeUnavailable` when the trouble is not the item's."""
    try:
        yield
    except StripeBusy:
        return  # somebody else is asking the same this moment
    except StripeUnreachable as trouble:
        if not stripe.is_answering():
            breaker.record_silence(trouble)
            raise StripeUnavailable(str(trouble)) from trouble
        with loop.attempt(item, subject=subject):
            raise
    except Exception:
        with loop.attempt(item, subject=subject):
            raise
    else:
        loop.clear(item)


@contextmanager
def ask_in_background(loop: Loop) -> Iterator[bool]:
    """Whether a worker may run this loop now: nobody else does, and Stripe was not silent a moment ago.

    So a Stripe that hangs holds up one worker a loop, once, and not all of them again and again.
    """
    with loop.take_turn() as is_ours:
        yield is_ours and breaker.AWAY.is_due()
