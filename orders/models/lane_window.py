from django.db import models
from django.db.models import Q
from django_countries.fields import Country, CountryField

from orders.models.settings import ShippingMethod


class LaneWindow(models.Model):
    """What the shop's own deliveries say of a lane, country and way: by how many days its dates have to move, so that
    nine in ten hold. Computed by `orders.lane_windows`, written by nobody else.

    `days`: below 0 where a lane comes early; empty while it has too few deliveries. `parcel_count`: those it was
    measured on. `plain_share` and `moved_share`: of them, how many came by the day that the method's own days gave, and
    by the moved one, each as it would have been forecast then; `added_days`: what moving added on average.
    """

    country: "models.Field[str | Country, Country]" = CountryField()
    method = models.ForeignKey(ShippingMethod, on_delete=models.CASCADE, related_name="+")
    days = models.SmallIntegerField(null=True)
    parcel_count = models.PositiveIntegerField()
    plain_share = models.FloatField()
    moved_share = models.FloatField()
    added_days = models.FloatField()
    computed_at = models.DateTimeField()

    class Meta:
        ordering = ["-parcel_count", "country", "method"]
        verbose_name = "lane"
        constraints = [
            models.UniqueConstraint(fields=["country", "method"], name="lane_window_once"),
            models.CheckConstraint(
                condition=Q(plain_share__range=(0, 1), moved_share__range=(0, 1)), name="lane_window_shares"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} to {self.country.name}"
