"""The carriers staff add to those the shop knows."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from orders.carriers import is_known_name
from orders.carriers.tracking_pages import PLACEHOLDER, find_template_problem


class StaffCarrierQuerySet(models.QuerySet["StaffCarrier"]):
    def named(self, name: str) -> "StaffCarrierQuerySet":
        return self.alias(lower_name=Lower("name")).filter(lower_name=name.strip().lower())


class StaffCarrier(models.Model):
    """Parcels and shipping methods keep its name, as they keep the key of a carrier in `orders.carriers`: so the name
    stays, and an order from elsewhere that names it in words is followed there too.
    """

    name = models.CharField(
        max_length=40,
        help_text="As customers read it. It stays: parcels are known by it. For another name add another carrier.",
    )
    url_template = models.CharField(
        "tracking page",
        max_length=300,
        blank=True,
        help_text="The address of the carrier’s page for one parcel, with {number} where its number stands, such as "
        "https://track.example.com/?parcel={number}. Empty: its parcels cannot be followed.",
    )
    is_offered = models.BooleanField(
        "in use", default=True, help_text="Off: no longer offered; parcels that went with it can still be followed."
    )

    objects = StaffCarrierQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = "other carrier"
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="staff_carrier_name", violation_error_message="There is a carrier of that name."
            ),
            models.CheckConstraint(
                condition=Q(url_template="")
                | Q(url_template__startswith="https://") & Q(url_template__contains=PLACEHOLDER),
                name="staff_carrier_secure_page",
                violation_error_message="A tracking page begins with https:// and has {number} in it.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if is_known_name(self.name):
            raise ValidationError({"name": "The shop knows that carrier already: choose it where a parcel is sent."})
        problem = find_template_problem(self.url_template) if self.url_template else ""
        if problem:
            raise ValidationError({"url_template": problem})
