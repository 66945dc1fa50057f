from datetime import timedelta

from django.db import models
from django.utils import timezone

from accounts.people.email_addresses import EmailAddressField
from shop.periods import Period

LIFETIME = timedelta(minutes=15)
LINK_RETENTION = Period(days=1)


class FreshLinkQuerySet(models.QuerySet["FreshLink"]):
    def live(self) -> "FreshLinkQuerySet":
        """Those that still open something: young enough and not used."""
        return self.filter(used_at=None, created_at__gt=timezone.now() - LIFETIME)


class FreshLink(models.Model):
    """A link mailed to somebody without an account, to see and change what is held about their address.

    Works once. Only the token's hash is kept: whoever reads this table can open nothing.
    """

    token_hash = models.CharField(max_length=64, unique=True)
    email = EmailAddressField("e-mail")
    leads_to = models.CharField(max_length=200, help_text="The page it was asked for from.")
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True)

    objects = FreshLinkQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="fresh_link_age")]

    def __str__(self) -> str:
        return f"asked for at {self.created_at:%d %b %Y, %H:%M}"
