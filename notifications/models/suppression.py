from django.db import models
from django.db.models.functions import Lower


class Suppression(models.Model):
    """An address that gets no mail, whatever was ticked: it bounced, or its owner complained."""

    class Reason(models.TextChoices):
        BOUNCED = "bounced", "Mail to it was refused for good"
        COMPLAINED = "complained", "Its owner complained"
        STAFF = "staff", "Stopped by staff"

    address = models.EmailField()
    reason = models.CharField(max_length=12, choices=Reason)
    detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "stopped address"
        verbose_name_plural = "stopped addresses"
        constraints = [models.UniqueConstraint(Lower("address"), name="suppression_once")]

    def __str__(self) -> str:
        return self.address
