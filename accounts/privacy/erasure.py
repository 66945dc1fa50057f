"""Being forgotten: asked for, possible to undo until it begins, then done kind by kind, however often interrupted.

What is left afterwards: the chain of the ledger and the `Erasure` row, which name nobody, and what `kept` of each
holding says.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import AccountEvent, Customer, Erasure, User
from accounts.people import sessions, tokens
from accounts.privacy import journal
from shop import personal_data
from shop.advisory_locks import AdvisoryLock, try_session_lock
from shop.periods import Period
from shop.registry import Registry, get_dotted_name
from shop.retrying import loops
from shop.retrying.loops import Loop

ERASURES = loops.register_loop(
    Loop(
        "erasures",
        "An erasure",
        "It goes on where it stopped, by itself. It is owed by law within a month: if the error stays, tell whoever "
        "looks after the shop's software.",
    )
)

COOLING_OFF = Period(days=14)
LINK_LIFETIME = timedelta(days=90)
TOKEN_KIND = "erasure"  # noqa: S105  (the name of a kind of link)
OPEN_STATES = (Erasure.State.SCHEDULED, Erasure.State.ERASING)

Obstacle = Callable[[Customer], str]
_obstacles = Registry[Obstacle]("The obstacle to an erasure")


class CannotErase(Exception):  # noqa: N818  (a refusal, not an error)
    """Why not, in words for the customer."""


def register_erasure_obstacle(obstacle: Obstacle) -> None:
    """Registers something an erasure waits for (called in `AppConfig.ready`): a sentence, empty when it is clear."""
    _obstacles.add(get_dotted_name(obstacle), obstacle)


def find_erasure_obstacles(customer: Customer) -> list[str]:
    """What stands in the way now, in words for the customer; it waits for that, and goes on by itself."""
    return [reason for reason in (obstacle(customer) for obstacle in _obstacles.values()) if reason]


def find_open_erasure(customer: Customer) -> Erasure | None:
    """The erasure the customer has asked for and that has not ended."""
    return customer.erasures.filter(state__in=OPEN_STATES).first()


def request_erasure(customer: Customer, *, at_once: bool) -> Erasure:
    """Asks for everything to be erased: now, or after `COOLING_OFF`. Asking again changes nothing.

    Raises `CannotErase` for somebody who works here: their login belongs to the shop's own records.
    """
    if customer.user is not None and customer.user.is_staff:
        raise CannotErase("Your login is a staff login. Ask whoever runs the shop to take that away first.")
    now = timezone.now()
    try:
        with transaction.atomic():
            erasure = Erasure.objects.create(
                customer=customer,
                customer_number=customer.pk,
                chain=customer.chain,
                due_at=now if at_once else now + COOLING_OFF,
            )
            facts = {"erasure": str(erasure.pk), "due_at": erasure.due_at.isoformat(), "at_once": at_once}
            AccountEvent.objects.create(kind=AccountEvent.Kind.ERASURE_ASKED_FOR, customer=customer, data=facts)
            journal.record_erasure_request(customer.chain, erasure=erasure.pk, due_at=erasure.due_at)
    except IntegrityError:
        return Erasure.objects.get(customer=customer, state__in=OPEN_STATES)
    return erasure


def cancel_erasure(erasure: Erasure) -> bool:
    """Calls it off while it has not begun. False when it is too late."""
    scheduled = Erasure.objects.filter(pk=erasure.pk, state=Erasure.State.SCHEDULED)
    with transaction.atomic():
        is_undone = scheduled.update(state=Erasure.State.UNDONE, ended_at=timezone.now()) == 1
        if is_undone:
            journal.record_erasure_undone(erasure.chain, erasure=erasure.pk)
    return is_undone


def make_erasure_token(erasure: Erasure) -> str:
    return tokens.sign_token(TOKEN_KIND, erasure=str(erasure.pk))


def find_erasure_by_token(token: str) -> Erasure | None:
    """The erasure behind a mailed link; None when forged or too old."""
    ids = tokens.read_token(token, TOKEN_KIND, max_age=LINK_LIFETIME)
    return Erasure.objects.filter(pk=ids["erasure"]).first() if ids else None


def erase_due_customers() -> int:
    """Erases whoever is due and has nothing in the way; takes up what was interrupted. Returns how many are done.

    One job at a time: another that wakes meanwhile finds nothing to do.
    """
    with try_session_lock(AdvisoryLock.ERASURE) as is_alone:
        return _run_due_erasures() if is_alone else 0


def _run_due_erasures() -> int:
    under_way = Erasure.objects.filter(state__in=OPEN_STATES)
    ERASURES.forget_settled(under_way)
    count = 0
    for erasure in ERASURES.due(under_way).filter(due_at__lte=timezone.now()).order_by("due_at"):
        with ERASURES.attempt(erasure.pk, subject=f"The erasure {erasure.pk}"):
            count += run_erasure(erasure)
    return count


def run_erasure(erasure: Erasure) -> bool:
    """Erases; True when it is done, False when it waits for something or somebody called it off."""
    customer = erasure.customer
    if customer is not None:
        if erasure.state == Erasure.State.SCHEDULED and (
            find_erasure_obstacles(customer) or not _begin_erasure(erasure)
        ):
            return False
        _erase_holdings(erasure, customer)
    Erasure.objects.filter(pk=erasure.pk).update(state=Erasure.State.DONE, ended_at=timezone.now())
    return True


def _begin_erasure(erasure: Erasure) -> bool:
    """The point of no return: from here it cannot be undone, and nobody is signed in as this person any more."""
    begun = Erasure.objects.filter(pk=erasure.pk, state=Erasure.State.SCHEDULED, due_at__lte=timezone.now())
    return begun.update(state=Erasure.State.ERASING) == 1


def _erase_holdings(erasure: Erasure, customer: Customer) -> None:
    """Each kind in a transaction of its own; then, with the person, whatever came in meanwhile."""
    journal.record_erasure(customer.chain)
    if customer.user_id is not None:
        User.objects.filter(pk=customer.user_id).update(is_active=False)
    sessions.end_customer_sessions(customer)
    everything = sorted(personal_data.get_holdings(), key=lambda holding: holding.is_person)
    for holding in everything:
        if holding.key not in erasure.erased and not holding.is_person:
            with transaction.atomic():
                holding.erase(customer)
                erasure.erased.append(holding.key)
                erasure.save(update_fields=["erased"])
    with transaction.atomic():
        locked = Customer.objects.select_for_update().select_related(None).get(pk=customer.pk)
        for holding in everything:
            holding.erase(locked)
    erasure.erased = [holding.key for holding in everything]
    Erasure.objects.filter(pk=erasure.pk).update(erased=erasure.erased)


def restore_erasure_request(chain: UUID, *, erasure_id: UUID, due_at: datetime) -> bool:
    """After a restore: who had asked to be erased is awaited again, and the link in their mail still undoes it.

    False when the restored database knows of it, or of no such chain.
    """
    customer = Customer.objects.filter(chain=chain).first()
    if customer is None or find_open_erasure(customer) or Erasure.objects.filter(pk=erasure_id).exists():
        return False
    Erasure.objects.create(pk=erasure_id, customer=customer, customer_number=customer.pk, chain=chain, due_at=due_at)
    return True


def repeat_erasure(chain: UUID, *, at: datetime) -> bool:
    """After a restore: erases at once whoever had been erased. False when the restored database knows no such chain."""
    customer = Customer.objects.filter(chain=chain).first()
    if customer is None:
        return False
    defaults = {"customer_number": customer.pk, "chain": customer.chain, "due_at": at, "state": Erasure.State.ERASING}
    Erasure.objects.filter(customer=customer, state__in=OPEN_STATES).delete()
    return run_erasure(Erasure.objects.create(customer=customer, **defaults))
