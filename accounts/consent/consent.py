"""Consent: one door in (`set_consent`), one question out (`allows`, and as querysets for sets). No row means no.

A preview asks what if: inside `overlay_answers` the questions answer as if one customer had answered otherwise, and no
answer can be given.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.consent import ledger, purposes
from accounts.consent.purposes import Purpose
from accounts.models import Consent, ConsentPayload, ConsentRecord, Customer
from accounts.privacy import journal

ImportedAnswer = tuple[int, str, bool, datetime]
REPEATED_WITHIN = timedelta(minutes=1)  # a second click, which says nothing new
_current_overlay: ContextVar[tuple[int, Mapping[str, bool]] | None] = ContextVar("supposed_answers", default=None)


class ImportSkipReason(StrEnum):
    """Why an answer from elsewhere was not taken over."""

    OLDER = "a newer answer stands"
    FUTURE = "its date is still to come"


def set_consent(customer: Customer, purpose_key: str, *, granted: bool, source: str) -> Consent:
    """Writes the answer and its ledger row in one transaction of its own.

    The same yes to the same words changes nothing; the same no is written with its new date, so that no older yes from
    elsewhere can overrule it. Raises KeyError for an unknown purpose, and RuntimeError
    inside another transaction: an answer never waits for, or falls with, something else. Nor is one given in a preview.
    """
    purpose = purposes.get_purpose(purpose_key)
    _refuse_in_preview()
    with transaction.atomic(durable=True):
        customer = Customer.objects.select_for_update().get(pk=customer.pk)
        current = Consent.objects.filter(customer=customer, purpose=purpose.key).first()
        if current and _is_unchanged_answer(current, purpose, granted=granted):
            return current
        answer = ledger.ConsentAnswer(purpose, granted=granted, source=source, answered_at=timezone.now())
        record = ledger.append_answer(customer, answer)
        is_resting = purpose.key in purposes.UNDER_MASTER and customer.pk in _find_master_off_ids([customer.pk])
        consent, _ = Consent.objects.update_or_create(
            customer=customer, purpose=purpose.key, defaults=_make_consent_state(answer, record, is_resting=is_resting)
        )
        if not granted:
            journal.record_withdrawal(customer.chain, purpose.key)
    return consent


def _is_unchanged_answer(current: Consent, purpose: Purpose, *, granted: bool) -> bool:
    is_same = (current.chosen, current.wording_version) == (granted, purpose.wording_version)
    is_repeated = current.changed_at > timezone.now() - REPEATED_WITHIN
    return is_same and (granted or is_repeated)


def set_master(customer: Customer, *, on: bool, source: str) -> None:
    """Turns the whole personal shopper off or on, in one transaction of its own. Single choices are kept.

    What rests is not granted from this moment. What comes back stands on this answer, so that nothing queued under an
    earlier yes is released.
    """
    master = purposes.PERSONAL_SHOPPER
    _refuse_in_preview()
    with transaction.atomic(durable=True):
        customer = Customer.objects.select_for_update().get(pk=customer.pk)
        if on == is_master_on(customer):
            return
        answer = ledger.ConsentAnswer(master, granted=on, source=source, answered_at=timezone.now())
        record = ledger.append_answer(customer, answer)
        Consent.objects.update_or_create(
            customer=customer, purpose=master.key, defaults=_make_consent_state(answer, record, is_resting=False)
        )
        singles = customer.consents.filter(purpose__in=purposes.UNDER_MASTER, chosen=True)
        singles.update(granted=on, record=record, changed_at=answer.answered_at)
        if not on:
            journal.record_withdrawal(customer.chain, master.key)


def is_master_on(customer: Customer) -> bool:
    """On until turned off."""
    return customer.pk not in _find_master_off_ids([customer.pk])


def _find_master_off_ids(customer_ids: Iterable[int]) -> set[int]:
    """Those of the customers whose personal shopper is off."""
    off = Consent.objects.filter(customer__in=customer_ids, purpose=purposes.PERSONAL_SHOPPER.key, chosen=False)
    return set(off.values_list("customer", flat=True))


def import_consents(
    answers: Iterable[ImportedAnswer],
    *,
    source: str,
    is_dry: bool = False,
    on_left_out: Callable[[ImportedAnswer, ImportSkipReason], None] = lambda answer, why: None,
) -> int:
    """Takes over answers given elsewhere: (customer id, purpose key, granted, when).

    The newest answer by its own date stands, wherever it was given: an older one is left out, as is one whose date is
    still to come, and `on_left_out` hears of both. What is known already is left out in silence. For thousands at once,
    in a handful of statements; the ledger grows as if each had been given singly. Returns how many were new; a dry run
    writes none of them. Raises KeyError for an unknown purpose.
    """
    with transaction.atomic():
        wanted = sorted(answers, key=lambda answer: answer[3])
        customers = _lock_customers({customer_id for customer_id, *_ in wanted})
        newer = list(_filter_newer_answers([row for row in wanted if row[0] in customers], on_left_out))
        fresh = [(customers[row[0]], _make_imported_answer(row, source)) for row in newer]
        records = ledger.append_answers(fresh)
        latest = {
            (customer.pk, answer.purpose.key): (answer, record)
            for (customer, answer), record in zip(fresh, records, strict=True)
        }
        if not is_dry:
            journal.record_withdrawals(_find_withdrawals(latest, customers))
        _save_consent_states(latest, resting=_find_master_off_ids(customers))
        transaction.set_rollback(is_dry)
    return len(fresh)


def _lock_customers(customer_ids: set[int]) -> dict[int, Customer]:
    return Customer.objects.select_for_update().order_by("pk").in_bulk(sorted(customer_ids))


def _make_imported_answer(row: ImportedAnswer, source: str) -> ledger.ConsentAnswer:
    _, key, granted, answered_at = row
    return ledger.ConsentAnswer(purposes.get_purpose(key), granted=granted, source=source, answered_at=answered_at)


def _filter_newer_answers(
    wanted: list[ImportedAnswer], on_left_out: Callable[[ImportedAnswer, ImportSkipReason], None]
) -> Iterator[ImportedAnswer]:
    """Of the answers, oldest first, those newer than what stands. A no wins over a yes of the same moment."""
    now = timezone.now()
    given = ConsentPayload.objects.filter(customer__in={row[0] for row in wanted})
    known = set(given.values_list("customer", "purpose", "granted", "answered_at"))
    newest: dict[tuple[int, str], tuple[datetime, bool]] = {}
    for customer_id, key, granted, answered_at in known:
        place, said = (customer_id, key), (answered_at, not granted)
        newest[place] = max(said, newest.get(place, said))
    for row in wanted:
        customer_id, key, granted, answered_at = row
        place, said = (customer_id, key), (answered_at, not granted)
        if row in known:
            continue
        if answered_at > now:
            on_left_out(row, ImportSkipReason.FUTURE)
        elif place in newest and said < newest[place]:
            on_left_out(row, ImportSkipReason.OLDER)
        else:
            known.add(row)
            newest[place] = said
            yield row


def _find_withdrawals(
    latest: Mapping[tuple[int, str], tuple[ledger.ConsentAnswer, ConsentRecord]], customers: Mapping[int, Customer]
) -> list[tuple[UUID, str, datetime]]:
    """Those of the new answers that take back a yes which stands until now, for the journal."""
    refused = {place: answer for place, (answer, _) in latest.items() if not answer.granted}
    standing = Consent.objects.filter(customer__in={customer_id for customer_id, _ in refused}, chosen=True)
    places = standing.values_list("customer", "purpose")
    return [
        (customers[customer_id].chain, key, refused[customer_id, key].answered_at)
        for customer_id, key in places
        if (customer_id, key) in refused
    ]


def _save_consent_states(
    latest: Mapping[tuple[int, str], tuple[ledger.ConsentAnswer, ConsentRecord]], *, resting: set[int]
) -> None:
    Consent.objects.bulk_create(
        [
            Consent(
                customer_id=customer_id,
                purpose=key,
                **_make_consent_state(
                    answer, record, is_resting=customer_id in resting and key in purposes.UNDER_MASTER
                ),
            )
            for (customer_id, key), (answer, record) in latest.items()
        ],
        batch_size=5000,
        update_conflicts=True,
        unique_fields=["customer", "purpose"],
        update_fields=["granted", "chosen", "wording_version", "source", "record", "changed_at"],
    )


def was_answered_since(customer: Customer, purpose_key: str, moment: datetime) -> bool:
    """Whether the customer answered the switch, yes or no, after that moment by the answer's own date."""
    return customer.consent_payloads.filter(purpose=purpose_key, answered_at__gt=moment).exists()


def _make_consent_state(answer: ledger.ConsentAnswer, record: ConsentRecord, *, is_resting: bool) -> dict[str, object]:
    return {
        "granted": answer.granted and not is_resting,
        "chosen": answer.granted,
        "wording_version": answer.purpose.wording_version,
        "source": answer.source,
        "record": record,
        "changed_at": answer.answered_at,
    }


def allows(customer: Customer | None, purpose_key: str) -> bool:
    """Whether the customer allows the purpose now. A stranger allows nothing."""
    purposes.get_purpose(purpose_key)
    if customer is None:
        return False
    supposed = get_supposed_answer(customer, purpose_key)
    if supposed is not None:
        return supposed
    return find_granted_consents(purpose_key).filter(customer=customer).exists()


def get_supposed_answer(customer: Customer, purpose_key: str) -> bool | None:
    """What a preview takes this customer's answer to be, for plain SQL that asks the question itself; else None."""
    customer_id, is_granted = _get_overlay_answer(purpose_key) or (None, None)
    return is_granted if customer_id == customer.pk else None


def find_granted_consents(purpose_key: str) -> QuerySet[Consent]:
    """Every standing yes for a purpose: the set form of `allows`. A supposed yes without a row shows in `allowing`."""
    rows = Consent.objects.filter(purpose=purpose_key)
    supposed = _get_overlay_answer(purpose_key)
    if supposed is None:
        return rows.filter(granted=True)
    customer_id, is_granted = supposed
    return (
        rows.filter(Q(granted=True) | Q(customer=customer_id))
        if is_granted
        else rows.filter(~Q(customer=customer_id), granted=True)
    )


def build_consent_filter(purpose_key: str, *, customer: str = "customer") -> Q:
    """A condition on rows of people: theirs who allow the purpose now. `customer`: the path to their customer."""
    standing = Q(**{f"{customer}__in": find_granted_consents(purpose_key).values("customer")})
    supposed = _get_overlay_answer(purpose_key)
    return standing | Q(**{customer: supposed[0]}) if supposed and supposed[1] else standing


def get_chosen_purposes(customer: Customer) -> frozenset[str]:
    """The single switches the customer has on, whether they count now or rest under the master switch."""
    return frozenset(customer.consents.filter(chosen=True).values_list("purpose", flat=True))


def get_granted_purposes(customer: Customer | None) -> frozenset[str]:
    """All that one customer allows now, in one query, for a page that asks for several purposes."""
    if customer is None:
        return frozenset()
    standing = set(customer.consents.filter(granted=True).values_list("purpose", flat=True))
    customer_id, answers = _current_overlay.get() or (None, {})
    if customer_id == customer.pk:
        standing = {key for key in standing if answers.get(key, True)} | {key for key, yes in answers.items() if yes}
    return frozenset(standing)


@contextmanager
def overlay_answers(customer_id: int, answers: Mapping[str, bool]) -> Iterator[None]:
    """For a preview: meanwhile every question is answered as if the customer had answered so. Nothing is written.

    Raises KeyError for an unknown purpose.
    """
    for key in answers:
        purposes.get_purpose(key)
    token = _current_overlay.set((customer_id, dict(answers)))
    try:
        yield
    finally:
        _current_overlay.reset(token)


def is_overlay_active() -> bool:
    """Whether this is a preview: recorders write nothing then."""
    return _current_overlay.get() is not None


def build_overlay_answers(customer: Customer, purpose_key: str, *, granted: bool) -> dict[str, bool]:
    """What would count after this answer, for `overlay_answers`: a yes rests while the master switch is off."""
    if purpose_key == purposes.PERSONAL_SHOPPER.key:
        chosen = get_chosen_purposes(customer)
        return {key: granted and key in chosen for key in purposes.UNDER_MASTER}
    is_resting = granted and purpose_key in purposes.UNDER_MASTER and not is_master_on(customer)
    return {purposes.get_purpose(purpose_key).key: granted and not is_resting}


def find_customer_changed_by_overlay(purpose_key: str) -> int | None:
    """The customer whose supposed answer differs from the standing one, for those who hide what an older yes gave."""
    supposed = _get_overlay_answer(purpose_key)
    if supposed is None:
        return None
    customer_id, is_granted = supposed
    stands = Consent.objects.filter(customer=customer_id, purpose=purpose_key, granted=True).exists()
    return customer_id if stands != is_granted else None


def _get_overlay_answer(purpose_key: str) -> tuple[int, bool] | None:
    """The customer a preview is for and the answer it supposes; None when it supposes none for this purpose."""
    customer_id, answers = _current_overlay.get() or (0, {})
    return (customer_id, answers[purpose_key]) if purpose_key in answers else None


def _refuse_in_preview() -> None:
    if is_overlay_active():
        raise RuntimeError("A preview answers nothing.")
