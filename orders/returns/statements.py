"""Declarations by order number and e-mail: written down as they come, and brought to their order by a job.

Whoever declares so has proved nothing, and is answered alike, in words, status and time, whether or not there is such
an order: a request writes one row and looks for none. The acknowledgement goes to the order's own address.
"""

import hashlib
import re
from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from orders.models import Order, Withdrawal, WithdrawalStatement
from orders.returns.declaring import Declaration, WithdrawalRefused, declare_withdrawal
from shop.retrying import loops
from shop.retrying.loops import Loop

STATEMENTS = loops.register_loop(
    Loop(
        "withdrawal_statements",
        "Withdrawal by order number and e-mail",
        "It counts from the moment it came. It is tried again by itself; if the error stays, see to it by hand: "
        "Withdrawals stated, in the back office.",
        "orders.WithdrawalStatement",
        first_pause_seconds=10,
    )
)
OUR_NUMBER = re.compile(r"SW([0-9A-Z]{4})([0-9A-Z]{4})([0-9A-Z]{2})")


def write_down_statement(*, number: str, email: str, full_name: str, words: str = "") -> datetime:
    """Returns the moment it came. What is said again that day is the same: the first stands. One query."""
    now = timezone.now()
    statement = WithdrawalStatement(
        number=normalize_order_number(number),
        email=email,
        full_name=full_name,
        words=words,
        declared_at=now,
    )
    statement.digest = _compute_digest(statement)
    WithdrawalStatement.objects.bulk_create([statement], ignore_conflicts=True)
    return now


def normalize_order_number(text: str) -> str:
    """Our own number as we write it, however it was typed; an older shop's as it is."""
    ours = OUR_NUMBER.fullmatch(re.sub(r"[^0-9A-Z]", "", text.upper()))
    return f"SW-{'-'.join(ours.groups())}" if ours else text.strip()


def bring_statements_to_orders() -> int:
    """Makes every statement that fits an order a withdrawal from it. Returns how many were dealt with."""
    waiting = WithdrawalStatement.objects.filter(looked_up_at=None)
    count = 0
    for pk, number in list(STATEMENTS.due(waiting).values_list("pk", "number")):
        with STATEMENTS.attempt(pk, subject=f"{STATEMENTS.title} {number}"):
            count += _bring_to_order(pk)
    STATEMENTS.forget_settled(waiting)
    return count


@transaction.atomic
def _bring_to_order(statement_id: int) -> int:
    statement = _lock_waiting_statement(statement_id)
    if statement is None:
        return 0
    order = find_stated_order(statement.number, statement.email)
    if order is not None:
        with suppress(WithdrawalRefused):  # called off, say: then it is for staff
            statement.withdrawal = _declare_for_order(statement, order)
    statement.looked_up_at = timezone.now()
    statement.save(update_fields=["looked_up_at", "withdrawal"])
    return 1


def _lock_waiting_statement(statement_id: int) -> WithdrawalStatement | None:
    """None where another worker was first."""
    return WithdrawalStatement.objects.select_for_update().filter(pk=statement_id, looked_up_at=None).first()


def assign_statement(statement_id: int, *, number: str) -> Withdrawal:
    """Staff know which order was meant; its own address gets the acknowledgement. Raises `WithdrawalRefused`."""
    with transaction.atomic():
        statement = WithdrawalStatement.objects.select_for_update().get(pk=statement_id)
        if statement.withdrawal_id is not None:
            raise WithdrawalRefused(f"That statement belongs to {statement.withdrawal} already.")
        order = Order.objects.filter(_match_number(normalize_order_number(number))).first()
        if order is None:
            raise WithdrawalRefused(f"There is no order {number.strip()}.")
        made = _declare_for_order(statement, order)
        statement.withdrawal = made
        statement.save(update_fields=["withdrawal"])
    return made


def _match_number(number: str) -> Q:
    """Ours, or that of the shop it was imported from."""
    return Q(number=number) | Q(external_reference=number)


def find_stated_order(number: str, email: str) -> Order | None:
    """The order of that number, if it was placed with that address."""
    return Order.objects.filter(_match_number(number), email=email).first()


def _declare_for_order(statement: WithdrawalStatement, order: Order) -> Withdrawal:
    """The withdrawal it makes, acknowledged to the order's own address. Raises `WithdrawalRefused`."""
    declaration = Declaration(statement.full_name, order.email, words=statement.words)
    declared = declare_withdrawal(order.pk, declaration, way=Withdrawal.Way.FORM, declared_at=statement.declared_at)
    return declared.withdrawal


def _compute_digest(statement: WithdrawalStatement) -> str:
    said = (statement.number, statement.email, statement.words, timezone.localdate(statement.declared_at).isoformat())
    return hashlib.blake2s("\0".join(said).encode(), digest_size=32).hexdigest()
