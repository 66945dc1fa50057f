"""Claims: addresses that somebody gave and nobody has proved, by signing up or by changing an account's address.

A claim opens nothing and stands in nobody's way: whoever signs up with the same address starts afresh and ends it.
"""

from allauth.account import app_settings
from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import Customer, User
from shop.periods import Period

CLAIM_RETENTION = Period(days=app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS)  # and as long its link works


def find_unproved_sign_ups() -> QuerySet[User]:
    """Logins that wait for the first proof of their address. Nobody was ever let in, so nothing hangs on them."""
    proved = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    return User.objects.filter(~Exists(proved), last_login=None, is_staff=False, customer=None)


def is_sign_up(address: EmailAddress) -> bool:
    """Whether proving the address opens a new account; otherwise an account changes to it."""
    return find_unproved_sign_ups().filter(pk=address.user_id).exists()


def is_taken(email: str, *, besides: User | None = None) -> bool:
    """Whether an account has the address: one that proved it, or a login that somebody uses. Claims do not count."""
    proved = EmailAddress.objects.filter(email=email, verified=True)
    logins = User.objects.filter(email=email).exclude(pk__in=find_unproved_sign_ups().values("pk"))
    joined = Customer.objects.filter(email=email).exclude(user=None)
    if besides is not None:
        proved, logins, joined = (
            proved.exclude(user=besides),
            logins.exclude(pk=besides.pk),
            joined.exclude(user=besides),
        )
    return proved.exists() or logins.exists() or joined.exists()


def lock_claim(address: EmailAddress) -> bool:
    """Holds the claim until the end of the transaction. False when somebody signed up anew with it meanwhile."""
    return EmailAddress.objects.select_for_update().filter(pk=address.pk, verified=False).first() is not None


def end_claims(email: str, *, besides: User | None = None) -> None:
    """Whoever claims the address claims it no more, and the links mailed for that open nothing."""
    kept = besides.pk if besides is not None else 0
    with transaction.atomic():
        find_unproved_sign_ups().filter(email=email).exclude(pk=kept).delete()
        EmailAddress.objects.filter(email=email, verified=False).exclude(user_id=kept).delete()


def retire_sign_ups() -> int:
    """Deletes sign-ups whose link has run out."""
    return find_unproved_sign_ups().filter(date_joined__lt=timezone.now() - CLAIM_RETENTION).delete()[0]
