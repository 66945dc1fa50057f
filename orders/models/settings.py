"""What staff set: how fast the shop packs, what carriers promise, what tax applies."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django_countries.fields import Country, CountryField, MultipleCountriesDescriptor

from accounts.people.email_addresses import EmailAddressField
from shop.catalog.models import Store
from shop.catalog.models.product import TaxClass
from shop.model_rows import RowStatement
from shop.money import get_shop_currency

ONLY_ROW = 1
MOST_OF_ONE_THING = 99_999
LONGEST_RETURN_WINDOW = 365
PICKUP_DAYS, MOST_PICKUP_DAYS = 7, 60


class ShopSettings(models.Model):
    """The one row of settings staff may edit. Read it with `ShopSettings.current()`."""

    name = models.CharField(max_length=80, default="Say When")
    postal_address = models.TextField(default="Say When, 1 Harbour Row, Whitby YO21 3PU, United Kingdom")
    contact_email = EmailAddressField("contact e-mail", blank=True)
    default_country: "models.Field[str | Country, Country]" = CountryField(default="GB")
    cutoff_hour = models.PositiveSmallIntegerField(
        "cut-off hour",
        default=15,
        validators=[MaxValueValidator(23)],
        help_text="Orders before this hour leave a day sooner: 0 to 23.",
    )
    handling_days = models.PositiveSmallIntegerField(
        default=1, help_text="Working days from order to truck; 0 leaves the same day."
    )
    ships_on_saturday = models.BooleanField(default=False)
    uses_own_history = models.BooleanField(
        "dates from our own deliveries",
        default=True,
        db_default=True,
        help_text="Where enough parcels have come, a date is moved to the day by which nine in ten do; off: each "
        "method’s own days count. “Lanes” has what was measured.",
    )
    pickup_days = models.PositiveSmallIntegerField(
        "days kept for collecting",
        default=PICKUP_DAYS,
        db_default=PICKUP_DAYS,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_PICKUP_DAYS)],
        help_text="What lies ready for longer is in the queue “Not collected”, and its buyer is reminded once, if they "
        f"want such mail. Nothing is cancelled by itself. 1 to {MOST_PICKUP_DAYS}.",
    )
    quantity_limit = models.PositiveIntegerField(
        "most of one thing in one order",
        default=999,
        db_default=999,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_OF_ONE_THING)],
        help_text=f"Who asks for more is told this number. 1 to {MOST_OF_ONE_THING:,}.",
    )
    approve_up_to = models.DecimalField(
        "approve by themselves up to",
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Paid orders up to this total are approved without anybody looking. Empty: none are.",
    )
    approve_first_orders = models.BooleanField(
        "also a buyer’s first order",
        default=True,
        db_default=True,
        help_text="Off: the first order of somebody who never paid one here waits for staff.",
    )
    currency = models.CharField(max_length=3, default=get_shop_currency, editable=False, help_text="Of that total.")
    packs_by_scanning = models.BooleanField(
        "every parcel is scanned",
        default=False,
        db_default=False,
        help_text="Ticked: a parcel is packed on its packing page only, where each thing in it is scanned. "
        "“Mark packed” refuses.",
    )
    legal_name = models.CharField(
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text="Who sells, as registered. Empty: the name above.",
    )
    vat_id = models.CharField("VAT number", max_length=20, blank=True, default="", db_default="")
    company_number = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text="With its register, such as HRB 12345, Hamburg."
    )
    invoice_words = models.TextField(
        "what else must be on an invoice",
        max_length=600,
        blank=True,
        default="",
        db_default="",
        help_text="What the law of your country asks for besides: register court, directors, capital, a tax number.",
    )
    guarantee_picture = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The official notice of the legal guarantee, as `shop.catalog.pictures` named it.",
    )
    guarantee_words = models.TextField(
        "what the official notice says",
        max_length=2000,
        blank=True,
        default="",
        db_default="",
        help_text="Word for word: it is read to whoever cannot see the picture.",
    )

    return_window_days = models.PositiveSmallIntegerField(
        "days to send things back",
        default=0,
        db_default=0,
        validators=[MaxValueValidator(LONGEST_RETURN_WINDOW)],
        help_text="From the day the last parcel is with the buyer. 0: the shop takes back what the law asks, and no "
        "more. What was said when something was bought stands for that order.",
    )
    pays_return_postage = models.BooleanField(
        "we pay for sending back",
        default=False,
        db_default=False,
        help_text="Else the buyer does. What is faulty never costs them anything.",
    )
    offers_exchange = models.BooleanField(
        "exchange for another size or colour", default=True, db_default=True, help_text="Of the same product, in stock."
    )
    return_refund_days = models.PositiveSmallIntegerField(
        "days to settle a return",
        default=14,
        db_default=14,
        validators=[MinValueValidator(1), MaxValueValidator(30)],
        help_text="From the day the goods are here, until money or goods are with the buyer. 1 to 30.",
    )
    return_label_address = models.CharField(
        "return address at EasyPost",
        max_length=60,
        blank=True,
        default="",
        db_default="",
        validators=[RegexValidator(r"^adr_[0-9a-z]+\Z", "It begins with adr_, as EasyPost shows it.")],
        help_text="Its id there, such as adr_1a2b…: where the labels of returns lead, for what costs buyers nothing to "
        "send back. Empty: no labels are made.",
    )
    return_label_grams = models.PositiveIntegerField(
        "what a return weighs",
        default=1000,
        db_default=1000,
        validators=[MinValueValidator(1), MaxValueValidator(70_000)],
        help_text="In grams, with its packing: what a label is bought for.",
    )

    class Meta:
        verbose_name = verbose_name_plural = "shop settings"
        constraints = [models.CheckConstraint(condition=Q(id=ONLY_ROW), name="shop_settings_one_row")]

    def __str__(self) -> str:
        return "Shop settings"

    @classmethod
    def current(cls) -> "ShopSettings":
        """The settings; the defaults when staff have never saved any."""
        return next(iter(_SETTINGS.fetch({"id": ONLY_ROW})), None) or cls(id=ONLY_ROW)


_SETTINGS = RowStatement(ShopSettings, "WHERE t.id = %(id)s")


class Holiday(models.Model):
    """A day on which nothing leaves us, or nothing is delivered: anywhere, or in one country."""

    falls_on = models.DateField()
    country: "models.Field[str | Country, Country]" = CountryField(
        blank=True,
        default="",
        db_default="",
        help_text="Where nothing is delivered that day. Empty: nowhere is anything.",
    )
    name = models.CharField(max_length=80)
    closes_shop = models.BooleanField("the shop is closed", default=True)
    stops_delivery = models.BooleanField("nothing is delivered", default=True)

    class Meta:
        ordering = ["falls_on"]
        constraints = [models.UniqueConstraint(fields=["falls_on", "country"], name="holiday_once_a_country")]

    def __str__(self) -> str:
        return f"{self.name}, {self.falls_on:%d %b %Y}"


class ShippingMethod(models.Model):
    """A way for goods to reach their buyer: a carrier brings them, or, with a `store`, they are collected there."""

    name = models.CharField(max_length=80)
    store = models.ForeignKey(
        Store,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="collected at",
        help_text="A store that people may come to. Buyers are offered it while all they want is there.",
    )
    carrier = models.CharField(
        max_length=40, help_text="A key of orders.carriers, such as royal_mail, or the name of one staff added."
    )
    price = models.DecimalField(max_digits=10, decimal_places=2, help_text="Tax included.")
    free_from = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    extra_parcel_price = models.DecimalField(
        "price of a second parcel",
        max_digits=10,
        decimal_places=2,
        default=0,
        db_default=0,
        blank=True,
        help_text="Tax included. On top, where a buyer wants what is here at once and the rest when it comes.",
    )
    currency = models.CharField(max_length=3, default=get_shop_currency, editable=False, help_text="Of all three.")
    days_min = models.PositiveSmallIntegerField(default=1, help_text="Carrier's working days, at best.")
    days_max = models.PositiveSmallIntegerField(default=2, help_text="Carrier's working days, at worst.")
    delivers_on_saturday = models.BooleanField(default=True)
    countries: "models.Field[list[str] | str, MultipleCountriesDescriptor]" = CountryField(
        multiple=True, blank=True, help_text="Empty: everywhere."
    )
    is_active = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "price"]
        constraints = [
            models.CheckConstraint(condition=Q(days_min__lte=models.F("days_max")), name="shipping_days_in_order")
        ]

    def __str__(self) -> str:
        return self.name

    def price_for(self, subtotal: Decimal) -> Decimal:
        """For one parcel."""
        is_free = self.free_from is not None and subtotal >= self.free_from
        return Decimal(0) if is_free else self.price

    def reaches(self, country: str) -> bool:
        return not self.country_codes or country in self.country_codes

    @property
    def country_codes(self) -> list[str]:
        """Those of `countries`, which makes an object of each whenever it is looked at. Empty: everywhere."""
        return vars(self)["countries"] or []


class TaxRate(models.Model):
    """The tax inside the prices of a class of goods for a country. Without a row of the class the standard one counts,
    without that none; of several the youngest in force.
    """

    country: "models.Field[str | Country, Country]" = CountryField()
    tax_class = models.CharField(
        max_length=10,
        choices=TaxClass,
        default=TaxClass.STANDARD,
        db_default=TaxClass.STANDARD,
        help_text="Of the goods it is for. Zero needs a rate of its own too: 0.0000.",
    )
    name = models.CharField(max_length=40, default="VAT")
    rate = models.DecimalField(max_digits=5, decimal_places=4, help_text="0.2000 is 20 %.")
    valid_from = models.DateField(
        null=True,
        blank=True,
        help_text="The first day it counts for what is ordered, by the shop’s clock. Empty: until another’s day comes. "
        "A rate of next year may be entered today; orders keep the rate of their day.",
    )

    class Meta:
        ordering = ["country", "tax_class", models.F("valid_from").desc(nulls_last=True)]
        constraints = [
            models.CheckConstraint(condition=Q(rate__gte=0) & Q(rate__lt=1), name="tax_rate_is_fraction"),
            models.UniqueConstraint(
                fields=["country", "tax_class", "valid_from"],
                nulls_distinct=False,
                name="tax_rate_once_a_day",
                violation_error_message="There is a rate of this country and class from that day already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.percent_text} ({self.country}, {self.get_tax_class_display().lower()})"

    @property
    def percent_text(self) -> str:
        return f"{(self.rate * 100).normalize():f} %"
