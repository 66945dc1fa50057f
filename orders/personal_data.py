"""The personal data this app holds, for the privacy page and the jobs that follow it."""

from datetime import timedelta

from django.utils import timezone

from orders import stripe_events
from orders.models import Cart, Order
from shop.personal_data import Holding, register

CARTS_KEPT = timedelta(days=60)


def retire_carts() -> int:
    """Deletes visitors' carts that nobody came back to, and whose payment is not under way."""
    stale = Cart.objects.filter(customer=None, updated_at__lt=timezone.now() - CARTS_KEPT)
    return stale.exclude(orders__status=Order.Status.PENDING).delete()[0]


def register_holdings() -> None:
    register(
        Holding(
            key="orders",
            title="Your orders",
            models=("orders.Order", "orders.OrderLine", "orders.Shipment", "orders.OrderEvent", "orders.OrderTick"),
            retention="What you bought, where it went and what we told you: six years, as tax law asks.",
        )
    )
    register(
        Holding(
            key="payments",
            title="Payments and refunds",
            models=("orders.Payment", "orders.Refund"),
            retention="Amounts, times and Stripe's reference, never a card number: six years, as tax law asks.",
        )
    )
    register(
        Holding(
            key="carts",
            title="What is in a cart",
            models=("orders.Cart", "orders.CartLine"),
            retention="A customer's until it is bought or taken out; a visitor's for 60 days.",
            retire=retire_carts,
        )
    )
    register(
        Holding(
            key="stripe_events",
            title="What Stripe told us about a payment",
            models=("orders.StripeEvent",),
            retention="Ids and times, without names: 90 days.",
            retire=stripe_events.retire,
        )
    )
