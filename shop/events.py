"""The abstract event row: what happened to something, written with the change itself, and the outbox at once."""

from django.db import models


class EventQuerySet(models.QuerySet["EventRow"]):
    def unrelayed(self) -> "EventQuerySet":
        return self.filter(relayed_at=None)


class EventRow(models.Model):
    """One thing that happened. `kind` is in the past tense; `data` is JSON without personal data.

    `relayed_at` is empty until `notifications.relay` has dealt with the row: a flag per row,
    because "id greater than the last seen" misses transactions that commit late.
    """

    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    relayed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True
