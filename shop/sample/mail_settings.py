"""How often the sample people want their mail: most as it comes, some less often, a few with a ceiling."""

from collections.abc import Iterable
from random import Random

from accounts.consent import purposes
from accounts.consent.purposes import Cadence
from accounts.models import Customer, MailCadence, PreferenceProfile

# purpose → who of a hundred chose how often
_CADENCE_SHARES = {
    purposes.NEWSLETTER: (25, Cadence.MONTHLY),
    purposes.MAIL_RECOMMENDATIONS: (20, Cadence.MONTHLY),
    purposes.MAIL_ORDER_PICKED: (15, Cadence.DAILY),
    purposes.MAIL_ORDER_PACKED: (15, Cadence.DAILY),
}
_CAPPED_OF_A_HUNDRED, _CEILING = 12, 3


def create_mail_frequencies(customers: Iterable[Customer], *, leaving_alone: tuple[str, ...]) -> None:
    """The same choices each time. Whoever is left alone gets each mail as it comes, so that it can be watched."""
    cadences, profiles = [], []
    for customer in customers:
        if customer.email in leaving_alone:
            continue
        draw = Random(f"pace of {customer.email}")  # noqa: S311  (the same each time, not secret)
        for key, (of_a_hundred, wanted) in _CADENCE_SHARES.items():
            if draw.randrange(100) < of_a_hundred:
                cadences.append(MailCadence(customer=customer, purpose=key, cadence=wanted))
        if draw.randrange(100) < _CAPPED_OF_A_HUNDRED:
            profiles.append(PreferenceProfile(customer=customer, weekly_ceiling=_CEILING))
    MailCadence.objects.bulk_create(cadences)
    PreferenceProfile.objects.bulk_create(profiles)
