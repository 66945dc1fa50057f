from django.db import models
from django_countries.fields import Country, CountryField

from accounts.models.customer import Customer


class PostalAddress(models.Model):
    """The fields of an address, for the address book and for the copy an order keeps."""

    full_name = models.CharField(max_length=120)
    line1 = models.CharField("address", max_length=120)
    line2 = models.CharField("address, second line", max_length=120, blank=True)
    city = models.CharField(max_length=80)
    region = models.CharField("county or state", max_length=80, blank=True)
    postcode = models.CharField(max_length=16, blank=True)
    country: "models.Field[str | Country, Country]" = CountryField()
    phone = models.CharField(max_length=32, blank=True)

    class Meta:
        abstract = True

    @property
    def address_lines(self) -> list[str]:
        """The address as it is written on a parcel, empty lines left out."""
        parts = [
            self.full_name,
            self.line1,
            self.line2,
            self.city,
            self.region,
            self.postcode,
            self.country.name,
        ]
        return [part for part in parts if part]


# Whoever has to do with all of them takes them from here, in this order.
ADDRESS_COLUMNS = {column.name: column for column in PostalAddress._meta.local_fields}  # noqa: SLF001  (as documented)
ADDRESS_FIELDS = tuple(ADDRESS_COLUMNS)


class Address(PostalAddress):
    """One entry of a customer's address book."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="addresses")
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-is_default", "-created_at"]
        verbose_name_plural = "addresses"
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=models.Q(is_default=True), name="address_one_default"
            )
        ]

    def __str__(self) -> str:
        return ", ".join(self.address_lines)
