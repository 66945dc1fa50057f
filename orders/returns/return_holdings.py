"""The personal data of returns: what somebody sends back, why, and the pictures they sent of it."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Customer
from orders.models import ReturnAuthorization, ReturnLabel, ReturnPicture
from orders.models.invoice import INVOICE_RETENTION
from orders.retention import get_customer_orders, get_expired_orders
from orders.returns import labels, pictures
from shop.periods import Period
from shop.personal_data import Holding, export_rows

FILE_RETENTION = Period(months=6)  # of pictures, and of labels


def make_return_holdings() -> tuple[Holding, ...]:
    return (
        Holding(
            key="returns",
            title="What you sent back",
            models=("orders.ReturnAuthorization", "orders.ReturnLine"),
            retention=f"What, when, why and what became of it: with the order, {INVOICE_RETENTION}.",
            export=_export_returns,
            erase=_erase_returns,
            kept=f"Of each return: goods, dates and sums, which explain the books: {INVOICE_RETENTION}. Words go.",
            retire=_retire_with_their_orders,
        ),
        Holding(
            key="return_pictures",
            title="Pictures you sent with a return",
            models=("orders.ReturnPicture",),
            retention=f"{str(FILE_RETENTION).capitalize()} from when you sent them.",
            export=_export_pictures,
            erase=lambda customer: pictures.delete_pictures(list(_find_pictures(customer))),
            retire=_retire_pictures,
        ),
        Holding(
            key="return_labels",
            title="Labels for what you sent back",
            models=("orders.ReturnLabel",),
            retention=f"{str(FILE_RETENTION).capitalize()} from when you asked for them.",
            export=_export_labels,
            erase=lambda customer: labels.delete_labels(list(_find_labels(customer))),
            retire=_retire_labels,
        ),
    )


def _find_returns(customer: Customer) -> QuerySet[ReturnAuthorization]:
    return ReturnAuthorization.objects.filter(order__in=get_customer_orders(customer)).order_by("pk")


def _find_pictures(customer: Customer) -> QuerySet[ReturnPicture]:
    return ReturnPicture.objects.filter(return_authorization__in=_find_returns(customer).values("pk"))


def _export_returns(customer: Customer) -> list[dict[str, Any]]:
    return export_rows(
        _find_returns(customer),
        order="order__number",
        number="number",
        kind="kind",
        wanted="wanted",
        reason="reason",
        words="words",
        pieces="piece_count",
        goods_amount="goods_amount",
        currency="currency",
        requested_at="requested_at",
        received_at="received_at",
        settled_at="settled_at",
        settled_as="settled_as",
        sent_in_exchange="exchange_order__number",
        guarantee_until="guarantee_until",
        refused_at="refused_at",
        refused_reason="refused_reason",
    )


def _export_pictures(customer: Customer) -> list[dict[str, Any]]:
    return export_rows(_find_pictures(customer), of_return="return_authorization__number", sent_at="created_at")


def _find_labels(customer: Customer) -> QuerySet[ReturnLabel]:
    return ReturnLabel.objects.filter(return_authorization__in=_find_returns(customer).values("pk"))


def _export_labels(customer: Customer) -> list[dict[str, Any]]:
    return export_rows(
        _find_labels(customer),
        of_return="return_authorization__number",
        asked_at="requested_at",
        carrier="carrier",
        tracking_number="tracking_number",
        made_at="made_at",
    )


def _erase_returns(customer: Customer) -> int:
    return _find_returns(customer).update(words="", refused_reason="")


def _retire_with_their_orders() -> int:
    """They belong to orders whose time is over; should those go first, they go with them."""
    return ReturnAuthorization.objects.filter(order__in=get_expired_orders()).delete()[0]


def _retire_pictures() -> int:
    old = Q(created_at__lt=timezone.now() - FILE_RETENTION)
    return pictures.delete_pictures(list(ReturnPicture.objects.filter(old)))


def _retire_labels() -> int:
    old = Q(requested_at__lt=timezone.now() - FILE_RETENTION)
    return labels.delete_labels(list(ReturnLabel.objects.filter(old)))
