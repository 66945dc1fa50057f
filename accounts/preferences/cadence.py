"""How often: the cadence of each mail and the one ceiling over all of them. Never is the switch turned off."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from accounts.consent import purposes
from accounts.consent.purposes import Cadence
from accounts.models import Customer, MailCadence, PreferenceProfile

__all__ = ["Cadence"]

CEILINGS = (1, 2, 3, 5, 10)
DIGEST_TIME = time(8)  # gathered news comes with the breakfast
_CADENCE_LABELS = {Cadence.DAILY: "Once a day", Cadence.WEEKLY: "Once a week", Cadence.MONTHLY: "Once a month"}


def get_offered_cadences(purpose_key: str) -> tuple[Cadence, ...]:
    """What the customer may choose from, the most often first; empty where there is no choice."""
    return purposes.get_purpose(purpose_key).cadences


def get_cadence_label(purpose_key: str, cadence: Cadence) -> str:
    return purposes.get_purpose(purpose_key).each if cadence is Cadence.AS_IT_HAPPENS else _CADENCE_LABELS[cadence]


def get_less_frequent_cadences(purpose_key: str, than: Cadence) -> tuple[Cadence, ...]:
    """What is offered and comes less often."""
    order = list(Cadence)
    return tuple(each for each in get_offered_cadences(purpose_key) if order.index(each) > order.index(than))


def get_cadence(customer: Customer | None, purpose_key: str) -> Cadence:
    """How often they want it; for a stranger, or where they never chose, as often as it comes."""
    return get_chosen_cadences(customer).get(purpose_key) or get_default_cadence(purpose_key)


def get_default_cadence(purpose_key: str) -> Cadence:
    return next(iter(get_offered_cadences(purpose_key)), Cadence.AS_IT_HAPPENS)


def get_chosen_cadences(customer: Customer | None) -> dict[str, Cadence]:
    """All that one customer chose, in one query."""
    return get_cadences_by_customer([customer.pk]).get(customer.pk, {}) if customer else {}


def get_cadences_by_customer(customer_ids: Iterable[int]) -> dict[int, dict[str, Cadence]]:
    """What each of them chose, in one query. A cadence that is no longer offered counts as never chosen."""
    found: dict[int, dict[str, Cadence]] = {}
    rows = MailCadence.objects.filter(customer__in=customer_ids).values_list("customer", "purpose", "cadence")
    for customer_id, key, cadence in rows:
        if purposes.is_purpose(key) and cadence in get_offered_cadences(key):
            found.setdefault(customer_id, {})[key] = Cadence(cadence)
    return found


def set_cadence(customer: Customer, purpose_key: str, cadence: Cadence) -> None:
    """From now on this often. Raises ValueError for what the purpose does not offer."""
    if cadence not in get_offered_cadences(purpose_key):
        raise ValueError(f"{purpose_key} does not come {cadence}.")
    MailCadence.objects.update_or_create(customer=customer, purpose=purpose_key, defaults={"cadence": cadence})


def get_weekly_ceiling(customer: Customer) -> int | None:
    """The most mails in any seven days that are not essential; None without a ceiling."""
    profile = PreferenceProfile.objects.filter(customer=customer).first()
    return profile.weekly_ceiling if profile else None


def set_weekly_ceiling(customer: Customer, ceiling: int | None) -> None:
    if ceiling is not None and ceiling < 1:
        raise ValueError("A ceiling is one mail or more; never is for the switches to say.")
    PreferenceProfile.objects.update_or_create(customer=customer, defaults={"weekly_ceiling": ceiling})


def get_next_digest_time(cadence: Cadence, after: datetime) -> datetime:
    """When news of this cadence is next told together: at eight, each day, on Mondays, or on the first of the month."""
    local = timezone.localtime(after)
    day = local.date()
    while (moment := _combine_digest_time(day)) <= after or not _is_digest_day(cadence, moment):
        day += timedelta(days=1)
    return moment


def _is_digest_day(cadence: Cadence, moment: datetime) -> bool:
    if cadence is Cadence.MONTHLY:
        return moment.day == 1
    return cadence is not Cadence.WEEKLY or moment.weekday() == 0


def _combine_digest_time(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, DIGEST_TIME))
