from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models.customer import Customer
from shop.catalog.models import Category, Maker, Product
from shop.catalog.models.variant import BARE_SIZE


class InterestQuerySet(models.QuerySet["Interest"]):
    def standing(self) -> "InterestQuerySet":
        """Those whose time is not over. The job that deletes the others runs at night."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


class Interest(models.Model):
    """One thing a customer told us about themselves. Only they write it; it outranks whatever was observed.

    `words`: the need, the size, or the name of the occasion. A size may be for one department only. `NEVER` names one
    thing, maker or department; `NOT_SIZE` a size never to guess. Both only withhold, so they need no switch.
    """

    class Kind(models.TextChoices):
        MAKER = "maker", "Makers you like"
        CATEGORY = "category", "Departments you like"
        NEED = "need", "What you look for"
        SIZE = "size", "Your sizes"
        NOT_SIZE = "not_size", "Sizes that are not yours"
        OCCASION = "occasion", "Days to remember"
        NEVER = "never", "Never show me"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="interests")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    maker = models.ForeignKey(Maker, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    category = models.ForeignKey(Category, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    words = models.CharField(max_length=60, blank=True)
    falls_on = models.DateField(null=True, blank=True, help_text="The day of an occasion.")
    told_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Deleted after this. Empty: when they say so.")
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = InterestQuerySet.as_manager()

    class Meta:
        ordering = ["told_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "kind", "maker", "category", "product", "words", "falls_on"],
                nulls_distinct=False,
                name="interest_told_once",
            ),
            models.CheckConstraint(
                condition=Q(kind="maker", maker__isnull=False, category=None, product=None, words="", falls_on=None)
                | Q(kind="category", maker=None, category__isnull=False, product=None, words="", falls_on=None)
                | Q(~Q(words=""), kind="need", maker=None, category=None, product=None, falls_on=None)
                | Q(~Q(words=""), kind__in=["size", "not_size"], maker=None, product=None, falls_on=None)
                | Q(~Q(words=""), kind="occasion", maker=None, category=None, product=None, falls_on__isnull=False)
                | Q(kind="never", maker__isnull=False, category=None, product=None, words="", falls_on=None)
                | Q(kind="never", maker=None, category__isnull=False, product=None, words="", falls_on=None)
                | Q(kind="never", maker=None, category=None, product__isnull=False, words="", falls_on=None),
                name="interest_has_its_shape",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="interest_expiry"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """What was told, as the customer reads it."""
        thing = self.maker or self.product or self.category
        if self.kind in (self.Kind.SIZE, self.Kind.NOT_SIZE):
            size = f"Size {self.words}" if BARE_SIZE.fullmatch(self.words) else self.words
            return f"{size} in {self.category.name}" if self.category else size
        if self.falls_on:
            return f"{self.words}, {date_format(self.falls_on, 'j F Y')}"
        return self.words or str(thing or "")

    @property
    def is_for_suggestions(self) -> bool:
        """Whether suggestions may follow it, given the switch."""
        return self.kind in KINDS_FOR_SUGGESTIONS


KINDS_FOR_SUGGESTIONS = (Interest.Kind.MAKER, Interest.Kind.CATEGORY, Interest.Kind.NEED, Interest.Kind.SIZE)
