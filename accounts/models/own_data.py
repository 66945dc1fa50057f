import uuid

from django.db import models
from django.db.models import Q

from accounts.models.customer import Customer


class DataExport(models.Model):
    """A copy of everything held about a customer: asked for, built in the background, kept a week."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting to begin"
        BUILDING = "building", "Being put together"
        READY = "ready", "Ready"
        FAILED = "failed", "Did not work"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="data_exports")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    done_count = models.PositiveSmallIntegerField(default=0, help_text="Kinds of data gathered so far.")
    all_count = models.PositiveSmallIntegerField(default=0)
    file = models.CharField(max_length=120, blank=True, help_text="Its name in private storage.")
    size = models.PositiveBigIntegerField(default=0, help_text="In bytes.")
    created_at = models.DateTimeField(auto_now_add=True)
    begun_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=Q(state__in=["waiting", "building"]), name="data_export_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"A copy of what we hold ({self.get_state_display()})"


class Erasure(models.Model):
    """Somebody asked to be forgotten. When it is done this row names nobody: a number, a chain, and when.

    It stays, so that the journal and a restored backup can be held against it.
    """

    class State(models.TextChoices):
        SCHEDULED = "scheduled", "To come"
        ERASING = "erasing", "Under way"
        DONE = "done", "Done"
        UNDONE = "undone", "Called off"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.SET_NULL, null=True, related_name="erasures")
    customer_number = models.BigIntegerField(help_text="The customer's id, when there is no customer any more.")
    chain = models.UUIDField(help_text="Of the consent ledger, which stays and verifies.")
    state = models.CharField(max_length=9, choices=State, default=State.SCHEDULED)
    erased = models.JSONField(default=list, help_text="The kinds of data gone so far.")
    due_at = models.DateTimeField(help_text="From when it may begin. Until it does it can be called off.")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=Q(state__in=["scheduled", "erasing"]), name="erasure_one_at_a_time"
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state__in=["scheduled", "erasing"]), name="erasure_waiting")
        ]

    def __str__(self) -> str:
        return f"Erasure of customer {self.customer_number} ({self.get_state_display()})"
