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


class ForgottenPast(models.Model):
    """“Forget what I bought so far”: what was bought up to `before_at` is never read again for that purpose.

    The orders stay, being a contract; only their use ends.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="forgotten_pasts")
    purpose = models.CharField(max_length=60)
    before_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "purpose"], name="forgotten_past_once")]

    def __str__(self) -> str:
        return f"{self.purpose}: nothing before {self.before_at:%d %b %Y %H:%M}"
