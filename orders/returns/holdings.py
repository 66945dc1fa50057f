"""The personal data of withdrawals: who declared what, and what was declared by number and e-mail."""

from typing import Any

from django.db.models import QuerySet

from accounts.models import Customer
from orders.models import Withdrawal, WithdrawalStatement
from orders.models.invoice import INVOICE_RETENTION
from orders.retention import get_customer_orders, get_expired_orders
from shop.periods import Period
from shop.personal_data import Holding, export_rows, hold_rows

STATEMENT_RETENTION = Period(days=60)
ERASED_WORDS = "(erased)"
_FORGOTTEN = {"full_name": "", "acknowledged_to": "", "set_aside_reason": ""}


def make_withdrawal_holdings() -> tuple[Holding, ...]:
    return (_make_withdrawal_holding(), _make_statement_holding())


def _make_withdrawal_holding() -> Holding:
    return Holding(
        key="withdrawals",
        title="Withdrawals from a contract",
        models=("orders.Withdrawal", "orders.WithdrawalLine"),
        retention="What you withdrew from, when, in which name, where we acknowledged it, and what went back: with the "
        f"order, {INVOICE_RETENTION}.",
        export=_export_withdrawals,
        erase=_erase_withdrawals,
        kept=f"Of each withdrawal: goods, dates and sums, which explain the books: {INVOICE_RETENTION}. Name, e-mail "
        "and words of your own go.",
        retire=_retire_with_their_orders,
    )


def _make_statement_holding() -> Holding:
    return hold_rows(
        WithdrawalStatement.objects,
        key="withdrawal_statements",
        title="Withdrawals declared by order number and e-mail",
        retention=f"Number, e-mail, name and words as they were sent, so that staff can find the order: "
        f"{STATEMENT_RETENTION}.",
        export={
            "number": "number",
            "email": "email",
            "name": "full_name",
            "words": "words",
            "declared_at": "declared_at",
        },
        find=_find_statements,
        dated_by="declared_at",
        kept_for=STATEMENT_RETENTION,
    )


def _find_withdrawals(customer: Customer) -> QuerySet[Withdrawal]:
    return Withdrawal.objects.filter(order__in=get_customer_orders(customer)).order_by("pk")


def _find_statements(customer: Customer) -> QuerySet[WithdrawalStatement]:
    """Those with their proved address: whoever else typed a number tells nobody about them."""
    if not (customer.email and customer.is_proved):
        return WithdrawalStatement.objects.none()
    return WithdrawalStatement.objects.filter(email=customer.email).order_by("pk")


def _export_withdrawals(customer: Customer) -> list[dict[str, Any]]:
    return export_rows(
        _find_withdrawals(customer),
        order="order__number",
        way="way",
        name="full_name",
        acknowledged_to="acknowledged_to",
        withdrawn_from="contents",
        declared_at="declared_at",
        is_late="is_late",
        goods_amount="goods_amount",
        delivery_amount="delivery_amount",
        currency="currency",
        money_due_on="due_on",
        goods_back_at="goods_back_at",
        settled_at="settled_at",
        set_aside_at="set_aside_at",
        set_aside_reason="set_aside_reason",
    )


def _erase_withdrawals(customer: Customer) -> int:
    """Who it was, and what they wrote; goods, dates and sums explain the invoice."""
    mine = _find_withdrawals(customer)
    mine.exclude(words="").update(words=ERASED_WORDS, contents=ERASED_WORDS)
    return mine.update(**_FORGOTTEN)


def _retire_with_their_orders() -> int:
    """They belong to orders whose time is over; should those go first, they go with them."""
    return Withdrawal.objects.filter(order__in=get_expired_orders()).delete()[0]
