"""Where delivery takes longer, costs more, or does not go: a country, or some of its postcodes."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django_countries.fields import Country, CountryField

from orders.addresses.postcodes import (
    PostcodesUnclear,
    build_postcode_key,
    find_overlap,
    format_postcodes,
    parse_postcodes,
)
from orders.models.settings import ShippingMethod
from shop.money import get_shop_currency

MOST_EXTRA_DAYS = 60
NOTHING_DIFFERS = "Say what is different there: more days, a surcharge, or that we do not deliver there."
ONLY_DAYS = (
    "Without postcodes it is the whole country, which can only take longer. What costs more there, or does not go "
    "there, is said by the countries of a way of delivery."
)


class DeliveryZone(models.Model):
    """Postcodes of one country or all of it, for every method or for one alone. Postcodes count before their country,
    and of the same reach the method's own zone before that of all.

    Staff read the rules in the help texts; `Terms.find_zone` applies them.
    """

    name = models.CharField(
        max_length=80, help_text="As buyers read it: “Scottish islands”. It stands beside the surcharge and the date."
    )
    country: "models.Field[str | Country, Country]" = CountryField()
    postcodes = models.TextField(
        max_length=2000,
        blank=True,
        help_text="Starts of postcodes and ranges, with commas between: “IV, KW1-KW14, HS” in the United Kingdom, "
        "“20000-20999” or “20” in France. Empty: the whole country.",
    )
    method = models.ForeignKey(
        ShippingMethod,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"store": None},
        verbose_name="only for",
        help_text="Empty: for every method. A zone of one method alone counts before one of all.",
    )
    is_refused = models.BooleanField("we do not deliver there", default=False)
    extra_days = models.PositiveSmallIntegerField(
        "more working days",
        default=0,
        validators=[MaxValueValidator(MOST_EXTRA_DAYS)],
        help_text="On top of the method’s own, on which the carrier delivers.",
    )
    surcharge = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(Decimal(0))],
        help_text="Tax included. Once an order, also where delivery itself is free.",
    )
    currency = models.CharField(max_length=3, default=get_shop_currency, editable=False, help_text="Of the surcharge.")

    class Meta:
        ordering = ["country", "name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_refused=True, extra_days=0, surcharge=0)
                | Q(Q(extra_days__gt=0) | Q(surcharge__gt=0), is_refused=False, surcharge__gte=0),
                name="delivery_zone_differs",
                violation_error_message=NOTHING_DIFFERS,
            ),
            models.CheckConstraint(
                condition=~Q(postcodes="") | Q(is_refused=False, surcharge=0),
                name="delivery_zone_of_a_country_is_slower",
                violation_error_message=ONLY_DAYS,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.is_refused and (self.extra_days or self.surcharge):
            raise ValidationError({"is_refused": "Where we do not deliver there are no days and no surcharge."})
        if self.method and self.country and not self.method.reaches(self.country.code):
            raise ValidationError({"method": f"{self.method} does not go to that country at all."})
        if self.country and self.postcodes:
            self._clean_postcodes(self.country.code)
        elif self.country:
            self._refuse_second_of_country(self.country.code)

    @property
    def is_whole_country(self) -> bool:
        return not self.postcodes

    def _refuse_second_of_country(self, country: str) -> None:
        others = DeliveryZone.objects.filter(country=country, method=self.method, postcodes="").exclude(pk=self.pk)
        if other := others.first():
            raise ValidationError({"postcodes": f"The whole country is the zone {other.name} already."})

    def _clean_postcodes(self, country: str) -> None:
        try:
            ranges = parse_postcodes(self.postcodes, country)
        except PostcodesUnclear as refusal:
            raise ValidationError({"postcodes": str(refusal)}) from refusal
        for other in DeliveryZone.objects.filter(country=country, method=self.method).exclude(
            Q(pk=self.pk) | Q(postcodes="")
        ):
            if clash := find_overlap(ranges, parse_postcodes(other.postcodes, country)):
                raise ValidationError(
                    {"postcodes": f"“{clash[0].words}” overlaps “{clash[1].words}” of the zone {other.name}."}
                )
        self.postcodes = format_postcodes(ranges)

    def covers(self, postcode: str) -> bool:
        """Of its own country. No postcode is in none but the whole; a list that no form has checked holds none."""
        if self.is_whole_country:
            return True
        country = self.country.code
        key = build_postcode_key(postcode, country)
        try:
            return bool(key) and any(each.covers(key) for each in parse_postcodes(self.postcodes, country))
        except PostcodesUnclear:
            return False
