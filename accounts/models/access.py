import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.utils import timezone

from accounts.models.access_record import RETIRED
from accounts.models.customer import Customer

# The digest is the same as that of `accounts.privacy.access_verification.hash_access_entry`, which checks it.
_RECORD = """
    INSERT INTO accounts_accesslogrecord (id, at, chain, digest)
    SELECT NEW.id, NEW.at, (SELECT chain FROM accounts_customer WHERE id = NEW.customer_id),
        sha256(convert_to(concat_ws(chr(31), NEW.id, NEW.staff_id, NEW.staff_name, NEW.staff_role,
            NEW.order_number, NEW.kind, NEW.about, NEW.detail, coalesce(NEW.once, ''),
            (extract(epoch FROM NEW.at) * 1000000)::bigint, NEW.salt), 'UTF8'));
    RETURN NEW;"""
_REFUSE_DELETION = f"""
    IF {RETIRED} OR EXISTS (
        SELECT 1 FROM accounts_erasure e WHERE e.customer_id = OLD.customer_id AND e.state = 'erasing'
    ) THEN RETURN OLD; END IF;
    RAISE EXCEPTION 'pgtrigger: looks go by age, or with the erasure of whom they were at';"""  # noqa: S608


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
    """One look by somebody who works here at what belongs to a customer. `accounts.privacy.access_log` alone writes it.

    `customer` is empty for a guest's order until the address is proved; the entry then stands under `order_number`
    only. `once` is filled where a day's repeats count as one (lists). Triggers let no entry be changed, but for a
    customer it had not got, and none be deleted but by age or with its customer's erasure; each leaves a record.
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
    salt = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), editable=False)

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
            pgtrigger.Trigger(
                name="access_log_is_recorded",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                func=_RECORD,
            ),
            pgtrigger.Trigger(
                name="access_log_adoption_is_recorded",
                operation=pgtrigger.Update,
                when=pgtrigger.After,
                condition=pgtrigger.Q(old__customer__isnull=True, new__customer__isnull=False),
                func="""
                    UPDATE accounts_accesslogrecord SET adopted_by = (
                        SELECT chain FROM accounts_customer WHERE id = NEW.customer_id) WHERE id = NEW.id;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="access_log_no_delete",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                func=_REFUSE_DELETION,
            ),
            pgtrigger.Trigger(
                name="access_log_no_truncate",
                operation=pgtrigger.Truncate,
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'pgtrigger: the access log is append-only';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.about}"
