from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.people.email_addresses import EmailAddressField


class Suppression(models.Model):
    """An address that gets no mail, whatever was ticked: it bounced, or its owner complained.

    Once its owner is erased only `address_hash` is left of it (`notifications.suppressions`).
    """

    class Reason(models.TextChoices):
        BOUNCED = "bounced", "Mail to it was refused for good"
        COMPLAINED = "complained", "Its owner complained"
        STAFF = "staff", "Stopped by staff"

    address = EmailAddressField(null=True)
    address_hash = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001  (likewise)
    reason = models.CharField(max_length=12, choices=Reason)
    detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "stopped address"
        verbose_name_plural = "stopped addresses"
        constraints = [
            models.UniqueConstraint(Lower("address"), name="suppression_once"),
            models.CheckConstraint(
                condition=Q(address__isnull=False, address_hash=None) | Q(address=None, address_hash__isnull=False),
                name="suppression_plain_or_sealed",
            ),
        ]

    def __str__(self) -> str:
        return self.address or "An address whose owner was erased"
