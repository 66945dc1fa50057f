from django.db import models
from django.db.models import Q

from accounts.consent.purposes import Cadence
from accounts.models.customer import Customer


class PreferenceProfile(models.Model):
    """How a customer likes to be written to, beyond yes and no. No row means that nothing was ever chosen."""

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="preference_profile")
    weekly_ceiling = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Most mails in any seven days, beyond the essential ones. Empty: no ceiling."
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(weekly_ceiling=0), name="weekly_ceiling_not_zero")]

    def __str__(self) -> str:
        return f"At most {self.weekly_ceiling} a week" if self.weekly_ceiling else "No ceiling"


class MailCadence(models.Model):
    """How often one customer wants the mail of one purpose. No row means the first that the purpose offers."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="mail_cadences")
    purpose = models.CharField(max_length=60)
    cadence = models.CharField(max_length=14, choices=[(each.value, each.value) for each in Cadence])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "purpose"], name="cadence_once_per_purpose")]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.cadence}"
