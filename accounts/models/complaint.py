from datetime import date

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.people.email_addresses import EmailAddressField
from shop.periods import Period

LONGEST_COMPLAINT = 2000
LONGEST_ANSWER = 4000
SOON = Period(days=7)  # before its day, staff are told on their first page


class DataComplaintQuerySet(models.QuerySet["DataComplaint"]):
    def unanswered(self) -> "DataComplaintQuerySet":
        return self.filter(answered_at=None)

    def pressing(self, today: date) -> "DataComplaintQuerySet":
        """Those whose day comes within a week, or is over."""
        return self.unanswered().filter(due_on__lte=today + SOON)


class DataComplaint(models.Model):
    """What somebody says we did wrong with data about people. It is answered by `due_on` at the latest."""

    full_name = models.CharField(max_length=80)
    email = EmailAddressField()
    words = models.CharField(max_length=LONGEST_COMPLAINT)
    received_at = models.DateTimeField()
    due_on = models.DateField(help_text="The last day for the answer.")
    digest = models.CharField(max_length=64, unique=True, help_text="The same, sent again that day, is one complaint.")
    answer = models.CharField(max_length=LONGEST_ANSWER, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=80, blank=True)

    objects = DataComplaintQuerySet.as_manager()

    class Meta:
        ordering = ["received_at", "id"]
        indexes = [
            models.Index(fields=["due_on"], condition=Q(answered_at=None), name="data_complaint_unanswered"),
            models.Index(fields=["email"], name="data_complaint_by_email"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at=None, answer="") | (Q(answered_at__isnull=False) & ~Q(answer="")),
                name="data_complaint_answered_with_words",
            )
        ]

    def __str__(self) -> str:
        return f"Complaint {self.pk} about data"

    def is_overdue(self, today: date | None = None) -> bool:
        return self.answered_at is None and self.due_on < (today or timezone.localdate())
