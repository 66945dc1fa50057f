from django.db import models
from django.db.models import F, Q
from django_countries.fields import Country, CountryField


class Store(models.Model):
    """A place that holds stock. Parcels leave from the ones that ship."""

    name = models.CharField(max_length=80, unique=True)
    address = models.TextField(blank=True)
    country: "models.Field[str | Country, Country]" = CountryField(
        blank=True,
        default="",
        db_default="",
        help_text="Whose tax is in the price of what is collected here. Empty: the shop’s own.",
    )
    phone = models.CharField(max_length=40, blank=True, default="", db_default="")
    ships_orders = models.BooleanField(default=True)
    welcomes_visitors = models.BooleanField(
        "people may come here",
        default=False,
        db_default=False,
        help_text="The page of a product then says what of it is here, the address and when it is open.",
    )
    position = models.PositiveSmallIntegerField(default=0, help_text="Parcels leave from the first that has the goods.")

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class OpeningHours(models.Model):
    """From when until when a store is open on a day of the week; a day with a break has two rows.

    Times are the clock's on its wall, so that summer time changes nothing. No store is open past midnight.
    """

    class Weekday(models.IntegerChoices):
        MONDAY = 0
        TUESDAY = 1
        WEDNESDAY = 2
        THURSDAY = 3
        FRIDAY = 4
        SATURDAY = 5
        SUNDAY = 6

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField("day", choices=Weekday)
    opens_at = models.TimeField("from")
    closes_at = models.TimeField("until")

    class Meta:
        ordering = ["weekday", "opens_at"]
        verbose_name = "opening hours"
        verbose_name_plural = "opening hours"
        constraints = [
            models.UniqueConstraint(fields=["store", "weekday", "opens_at"], name="opening_hours_once"),
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="opening_hours_end_after_start"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"


class SpecialHours(models.Model):
    """A date on which a store keeps other hours than its weekday's, or is closed (no times)."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="special_hours")
    falls_on = models.DateField("date")
    opens_at = models.TimeField("from", null=True, blank=True, help_text="Leave both empty where it is closed.")
    closes_at = models.TimeField("until", null=True, blank=True)

    class Meta:
        ordering = ["falls_on"]
        verbose_name = "special day"
        constraints = [
            models.UniqueConstraint(
                fields=["store", "falls_on"],
                name="special_hours_once_a_day",
                violation_error_message="This date is here already.",
            ),
            models.CheckConstraint(
                condition=Q(opens_at=None, closes_at=None)
                | Q(opens_at__isnull=False, closes_at__isnull=False, closes_at__gt=F("opens_at")),
                name="special_hours_end_after_start",
            ),
        ]

    def __str__(self) -> str:
        if self.opens_at is None or self.closes_at is None:
            return f"{self.falls_on:%d %b %Y}, closed"
        return f"{self.falls_on:%d %b %Y}, {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"
