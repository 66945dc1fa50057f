"""Money in and money back. Being written: the signatures others rely on."""

from decimal import Decimal

from orders.models import Order, Refund


def request_refund(order: Order, *, amount: Decimal | None, actor: str, reason: str) -> Refund | None:
    """Notes a refund of a locked order, to be sent by `settle_refund`. `amount` None: all that is left.

    None when there is nothing to give back. Raises `RefundRefused` for more than is left.
    """
    raise NotImplementedError


def settle_refund(refund_id: int) -> None:
    """Sends a noted refund to Stripe (again, if need be: same idempotency key) and records the answer."""
    raise NotImplementedError


class RefundRefused(Exception):  # noqa: N818  (a refusal, not an error)
    """More than is left, or nothing at all; the message says so, for people."""


def refund(order_id: int, *, amount: Decimal | None, reason: str, actor: str) -> Refund:
    raise NotImplementedError
