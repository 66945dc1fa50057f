from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Length, Lower
from django.urls import reverse

from shop.catalog.querysets import ProductQuerySet
from shop.money import get_shop_currency

# Directive 2011/83/EU, article 2, point 14a: a maker's guarantee has a label where it is for more than two years.
LEAST_GUARANTEE_YEARS, MOST_GUARANTEE_YEARS = 3, 100


class Category(models.Model):
    """A category. The whole tree is small: read it once (`shop.catalog.category_tree`), never by recursion in SQL."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    description = models.TextField(blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    tint = models.PositiveSmallIntegerField(
        choices=[(1, "straw"), (2, "leaf"), (3, "slate"), (4, "rose")],
        default=1,
        help_text="The ground its goods stand on.",
    )

    class Meta:
        ordering = ["position", "name"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("category", args=[self.slug])


class Maker(models.Model):
    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(max_length=80, unique=True)
    story = models.TextField(blank=True, help_text="A paragraph about who they are and how they work.")
    # Regulation (EU) 2023/988, article 19: beside every offer.
    postal_address = models.TextField(max_length=500, blank=True, default="", db_default="")
    electronic_address = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="An e-mail address, or a page to write from."
    )
    eu_representative = models.TextField(
        "responsible person in the EU",
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text="Of a maker outside the Union: name, postal and electronic address of who answers for it there.",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TaxClass(models.TextChoices):
    """What tax law takes something for. What that comes to is a rate of the country (`orders.TaxRate`)."""

    STANDARD = "standard", "Standard"
    REDUCED = "reduced", "Reduced"
    ZERO = "zero", "Zero"


class Product(models.Model):
    """What a shopper looks at. What they buy is one of its variants."""

    title = models.CharField(max_length=160)
    slug = models.SlugField(max_length=160, unique=True)
    import_key = models.CharField(
        max_length=300,
        null=True,
        blank=True,
        unique=True,
        editable=False,
        help_text="What files of goods call it, as a key.",
    )
    category = models.ForeignKey(  # two indexes of a list's begin with it
        Category, on_delete=models.PROTECT, related_name="products", db_index=False
    )
    maker = models.ForeignKey(Maker, on_delete=models.PROTECT, null=True, blank=True, related_name="products")
    summary = models.CharField(max_length=200, blank=True, help_text="One line, for cards and search.")
    description = models.TextField(blank=True)
    attributes = models.JSONField(default=dict, blank=True, help_text='What can be compared: {"Wool content": "80 %"}.')
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    lifespan_months = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="How long it lasts in ordinary use; empty when it does not wear out."
    )
    warnings = models.TextField(
        max_length=2000,
        blank=True,
        default="",
        db_default="",
        help_text="What the law or the maker wants said before it is bought: “Not for children under three.”",
    )
    guarantee_years = models.PositiveSmallIntegerField(
        "maker's guarantee, in years",
        null=True,
        blank=True,
        validators=[MinValueValidator(LEAST_GUARANTEE_YEARS), MaxValueValidator(MOST_GUARANTEE_YEARS)],
        help_text="Only where its maker gives one of durability: free, for the whole thing, for more than two years.",
    )
    tax_class = models.CharField(
        max_length=10,
        choices=TaxClass,
        default=TaxClass.STANDARD,
        db_default=TaxClass.STANDARD,
        help_text="Which of a country’s rates counts for it; its standard one where it has none of this class. The "
        "price stays as it is.",
    )
    released_on = models.DateField(null=True, blank=True, help_text="Before this day it can be pre-ordered.")
    is_published = models.BooleanField(default=True)
    # What cards, facets and search read. Kept by `shop.catalog.listing.refresh_listings`, never set by hand.
    price_from = models.DecimalField(
        max_digits=10, decimal_places=2, default=0, editable=False, help_text="The cheapest variant's price."
    )
    price_to = models.DecimalField(max_digits=10, decimal_places=2, default=0, editable=False)
    currency = models.CharField(max_length=3, default=get_shop_currency, editable=False)
    unit_price_from = models.DecimalField(
        max_digits=14, decimal_places=4, null=True, editable=False, help_text="Of a kilogram, litre or metre."
    )
    unit_price_to = models.DecimalField(max_digits=14, decimal_places=4, null=True, editable=False)
    price_unit = models.CharField(
        max_length=2, default="", db_default="", editable=False, help_text="kg, l, m or m2; empty: not sold by measure."
    )
    sizes = ArrayField(models.CharField(max_length=40), default=list, editable=False)
    sizes_in_stock = ArrayField(
        models.CharField(max_length=40),
        default=list,
        editable=False,
        help_text="Follows the stock like `is_available`.",
    )
    is_available = models.BooleanField(
        default=False, editable=False, help_text="For the facet: follows the stock within moments. Cards ask the stock."
    )
    card_image = models.CharField(max_length=200, blank=True, editable=False)
    card_alt = models.CharField(max_length=160, blank=True, editable=False)
    search_text = models.TextField(blank=True, editable=False)
    search_vector = SearchVectorField(null=True, editable=False)
    title_vector = SearchVectorField(null=True, editable=False, help_text="Title, maker and shelf: small, for ranking.")
    goes_with = models.ManyToManyField(
        "self", blank=True, symmetrical=True, help_text="Staff's own picks of what goes with it."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["title"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(guarantee_years=None) | models.Q(guarantee_years__gte=LEAST_GUARANTEE_YEARS),
                name="product_guarantee_beyond_law",
            )
        ]
        indexes = [
            models.Index("category", Lower("title"), name="product_by_category"),  # category pages
            models.Index(  # lists narrowed by price, and put in its order
                fields=["category", "price_from", "id"],
                include=["maker", "is_available", "released_on"],
                condition=models.Q(is_published=True),
                name="product_by_price",
            ),
            models.Index(fields=["title", "-id"], name="product_by_title"),  # staff's lists
            models.Index(
                models.F("released_on").desc(nulls_last=True),
                models.F("id").desc(),
                condition=models.Q(is_published=True),
                name="product_newest",
            ),
            GinIndex(fields=["search_vector"], name="product_search"),
            GinIndex(fields=["title_vector"], name="product_search_titles"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("product", args=[self.slug])


class ProductDemand(models.Model):
    """How well a product sells lately, for the order of finds that are equal otherwise. Kept by `shop.catalog.demand`.

    A table of its own: written anew with each training, it touches no product that staff or buyers are changing.
    """

    product = models.OneToOneField(Product, on_delete=models.CASCADE, primary_key=True, related_name="demand")
    score = models.FloatField()

    def __str__(self) -> str:
        return f"{self.product_id}: {self.score:.3f}"


class ProductImage(models.Model):
    """A picture, re-encoded when staff upload it. The first by position is the card's."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    file = models.FileField(upload_to="products/")
    alt = models.CharField(max_length=160, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.alt or str(self.file.name)


class SearchWord(models.Model):
    """A word some product is found by: what a mistyped one is corrected to. Kept by `shop.catalog.listing`."""

    word = models.CharField(max_length=40, primary_key=True)

    class Meta:
        indexes = [
            GinIndex(fields=["word"], opclasses=["gin_trgm_ops"], name="search_word_typos"),
            models.Index(Length("word"), "word", name="search_word_by_length"),
        ]

    def __str__(self) -> str:
        return self.word


class SearchCompound(models.Model):
    """Two words that stand side by side in a name, for whoever writes them as one. Kept by `shop.catalog.listing`."""

    first = models.CharField(max_length=40)
    second = models.CharField(max_length=40)
    stem = models.CharField(max_length=80, help_text="Of both as one word.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stem", "first", "second"], name="search_compound_once")]

    def __str__(self) -> str:
        return f"{self.first} {self.second}"
