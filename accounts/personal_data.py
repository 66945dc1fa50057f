"""The personal data this app holds, for the privacy page and the jobs that follow it."""

from datetime import timedelta

from django.utils import timezone

from accounts.consent_requests import LIFETIME
from accounts.models import ConsentRequest
from shop.personal_data import Holding, register


def retire_requests() -> int:
    """Deletes newsletter requests whose link ran out unused."""
    stale = ConsentRequest.objects.filter(
        confirmed_at=None, created_at__lt=timezone.now() - LIFETIME - timedelta(days=1)
    )
    return stale.delete()[0]


def register_holdings() -> None:
    register(
        Holding(
            key="account",
            title="Your account",
            models=("accounts.User", "accounts.Customer", "accounts.Address"),
            retention="Name, e-mail address and address book: until you close the account.",
        )
    )
    register(
        Holding(
            key="answers",
            title="Your answers to the switches",
            models=("accounts.Consent", "accounts.ConsentPayload", "accounts.AccountEvent"),
            retention="Each yes and no with its time, so that it can be proved: until you close the account.",
        )
    )
    register(
        Holding(
            key="cadence",
            title="How often you want each mail, and your weekly ceiling",
            models=("accounts.PreferenceProfile", "accounts.MailCadence"),
            retention="What you chose: until you close the account.",
        )
    )
    register(
        Holding(
            key="requests",
            title="An address that asked for the newsletter and has not confirmed",
            models=("accounts.ConsentRequest",),
            retention="Two weeks, then it is deleted.",
            retire=retire_requests,
        )
    )
