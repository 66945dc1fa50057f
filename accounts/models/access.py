import pgtrigger
from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.customer import Customer


class AccessKind(models.TextChoices):
    """What staff did with somebody's data, as that person reads it."""

    LOOK = "look", "Looked at it"
    LIST = "list", "Saw it in a list"
    SEARCH = "search", "Found it by a search"
    SHOWN = "shown", "Had it shown in full"
    PRINT = "print", "Printed it"
    EXPORT = "export", "Took a copy"
    CHANGE = "change", "Changed it"


class AccessLogEntry(models.Model):
    """One look by somebody who works here at what belongs to a customer. Written by `accounts.access` alone.

    `customer` is empty for a guest's order until the address is proved; the entry then stands under `order_number`
    only. `once` is filled where a day's repeats count as one (lists). Triggers let no entry be changed, but for a
    customer it had not got.
    """

    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False
    )
    staff_name = models.CharField("who", max_length=150, help_text="Their first name at the time.")
    staff_role = models.CharField("role", max_length=200, help_text="Their roles at the time.")
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, null=True, related_name="access_log", db_index=False
    )
    order_number = models.CharField(max_length=40, blank=True)
    kind = models.CharField("what they did", max_length=8, choices=AccessKind)
    about = models.CharField(max_length=80, help_text="Which part of the data.")
    detail = models.CharField("why", max_length=200, blank=True)
    once = models.CharField(max_length=120, null=True, unique=True, editable=False)  # noqa: DJ001  (unique where present)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = "look at a customer's data"
        verbose_name_plural = "access log"
        indexes = [
            models.Index(fields=["customer", "-at", "-id"], name="access_by_customer"),
            models.Index(fields=["order_number"], condition=models.Q(customer=None), name="access_unclaimed"),
            models.Index(fields=["at"], name="access_by_age"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="access_log_no_update",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["customer"]),
            ),
            pgtrigger.Protect(
                name="access_log_keeps_its_customer",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__customer__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.about}"
