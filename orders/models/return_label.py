from django.db import models
from django.db.models import Q

from orders.models.return_authorization import ReturnAuthorization
from shop.money import format_amount, get_shop_currency


class ReturnLabel(models.Model):
    """A carrier's label for a return, which the shop pays for: asked for, then made, or refused by the carrier.

    `reference`: the carrier's own, known before anything is bought. `file`: its name in the private storage, which no
    address serves. `cost`: what the carrier charges the shop, in `currency`.
    """

    return_authorization = models.OneToOneField(ReturnAuthorization, on_delete=models.CASCADE, related_name="label")
    requested_at = models.DateTimeField()
    reference = models.CharField(max_length=60, blank=True)
    carrier = models.CharField(max_length=40, blank=True)
    tracking_number = models.CharField(max_length=60, blank=True)
    file = models.CharField(max_length=120, blank=True)
    cost = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, default=get_shop_currency)
    made_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    refused_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["requested_at", "id"]
        indexes = [
            models.Index(fields=["id"], condition=Q(made_at=None, refused_at=None), name="return_label_waiting"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(made_at=None) | Q(refused_at=None), name="return_label_made_or_refused"),
            models.CheckConstraint(condition=Q(made_at=None) | ~Q(file=""), name="return_label_made_is_kept"),
        ]

    def __str__(self) -> str:
        return f"Label of {self.return_authorization}"

    @property
    def is_waiting(self) -> bool:
        return self.made_at is None and self.refused_at is None

    @property
    def cost_text(self) -> str:
        return "" if self.cost is None else format_amount(self.cost, self.currency)
