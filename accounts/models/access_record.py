import pgtrigger
from django.db import models

from shop.periods import Period

ACCESS_RETENTION = Period(years=2)
RETIRED = f"OLD.at < now() - interval '{ACCESS_RETENTION.days - 2} days'"  # clocks may differ from the job's


class AccessLogRecord(models.Model):
    """That a look was written down: what stays of an `AccessLogEntry` when its customer is erased, and is walked.

    Written by a trigger with the entry, under the same id. It names nobody: `digest` is SHA-256 of the entry and its
    salt, which goes with the entry; `chain` is the customer's, `adopted_by` that of a guest's order joined later.
    Deleted by age alone.
    """

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    chain = models.UUIDField(null=True)
    adopted_by = models.UUIDField(null=True)
    digest = models.BinaryField(max_length=32)

    class Meta:
        indexes = [models.Index(fields=["at"], name="access_record_by_age")]
        triggers = [
            pgtrigger.Protect(
                name="access_record_no_update",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["adopted_by"]),
            ),
            pgtrigger.Protect(
                name="access_record_adopted_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__adopted_by__isnull=False),
            ),
            pgtrigger.Trigger(
                name="access_record_no_delete",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                func=f"""
                    IF {RETIRED} THEN RETURN OLD; END IF;
                    RAISE EXCEPTION 'pgtrigger: the record of looks goes by age alone';
                """,
            ),
            pgtrigger.Trigger(
                name="access_record_no_truncate",
                operation=pgtrigger.Truncate,
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'pgtrigger: the record of looks is append-only';",
            ),
        ]

    def __str__(self) -> str:
        return f"A look on {self.at:%d %b %Y}"
