from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

from accounts.models.customer import Customer


class Ask(models.Model):
    """A question put in its place, on a product's page or in the cart.

    Answered “No thanks” it is never put again; shown and left unanswered, it rests.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="asks")
    key = models.CharField(max_length=60, help_text="The purpose that was asked for.")
    shown_at = models.DateTimeField(default=timezone.now, help_text="When it was last put.")
    answered_at = models.DateTimeField(null=True, blank=True, help_text="When the answer was “No thanks”.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "key"], name="ask_once")]

    def __str__(self) -> str:
        return f"{self.key}: {'no thanks' if self.answered_at else 'left unanswered'}"


UNDO_FOR = timedelta(days=7)


class ForgottenPast(models.Model):
    """One “Forget what I bought so far”: what was bought after `after_at`, up to `before_at`, is not read any more.

    For one purpose. The orders stay, being a contract; only their use ends. `after_at`: how far earlier ones reached
    that stood then; None: from the beginning. Once taken back it hides nothing, but what was published in between.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="forgotten_pasts")
    purpose = models.CharField(max_length=60)
    after_at = models.DateTimeField(null=True, blank=True)
    before_at = models.DateTimeField()
    line_count = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How many purchases it could have read, when it was told to forget them."
    )
    taken_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "purpose", "before_at"], name="forgotten_past_once_a_moment")
        ]

    def __str__(self) -> str:
        return f"{self.purpose}: nothing before {self.before_at:%d %b %Y %H:%M}"

    @property
    def undo_until_at(self) -> datetime:
        return self.before_at + UNDO_FOR
