from django.db import models
from django.db.models import Q

from accounts.models import Customer, Interest
from orders.models import OrderLine
from shop.catalog.models import Product


class ModelRun(models.Model):
    """One published epoch: what was computed, from which data cut-off, and when it was put on the shelves."""

    cutoff_at = models.DateTimeField(help_text="The data cut-off: nothing later is in it.")
    clock_on = models.DateField(null=True, help_text="Ages are counted from here: the day after the last purchase.")
    k = models.PositiveSmallIntegerField(help_text="A pair needs this many distinct customers.")
    customer_count = models.PositiveIntegerField(default=0)
    line_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)
    is_current = models.BooleanField(default=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["is_current"], condition=Q(is_current=True), name="one_current_run")
        ]

    def __str__(self) -> str:
        return f"Run of {self.cutoff_at:%d %b %Y %H:%M}"


class Contribution(models.Model):
    """An order line that a run counted, and the yes it was counted under.

    A withdrawal is found by comparing states, not by an event: the line is no longer usable, or the customer's
    answer is another one by now (a yes taken back and given again waits for the next epoch).
    """

    # Written by the hundred thousand and thrown away with the next run: no table here has the database check its keys.
    run = models.ForeignKey(ModelRun, on_delete=models.CASCADE, db_constraint=False, related_name="contributions")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    order_line_id = models.BigIntegerField()
    consent_record_id = models.BigIntegerField()
    bought_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "order_line_id"], name="contribution_once")]
        indexes = [models.Index(fields=["customer", "product"], name="contribution_hidden")]  # what serving hides

    def __str__(self) -> str:
        return f"{self.run_id}: {self.order_line_id}"


class ProductSimilarity(models.Model):
    """“Bought together”: supported by at least `run.k` distinct customers who allow being counted."""

    run = models.ForeignKey(ModelRun, on_delete=models.CASCADE, db_constraint=False, related_name="similarities")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, db_constraint=False, related_name="similarities")
    similar = models.ForeignKey(Product, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    score = models.FloatField(help_text="Beside this product alone.")
    cart_score = models.FloatField(help_text="To be summed over several products.")
    support = models.PositiveIntegerField(help_text="Distinct customers behind the pair.")
    rank = models.PositiveSmallIntegerField()
    goes_well = models.BooleanField(
        db_default=True, help_text="Advice: not the same kind of thing again, and not what sells to everybody."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "product", "similar"], name="similarity_once")]
        indexes = [models.Index(fields=["product", "run", "rank"], name="similarity_shelf")]
        verbose_name_plural = "product similarities"

    def __str__(self) -> str:
        return f"{self.product_id} → {self.similar_id}"


class ProductLikeness(models.Model):
    """Like by title, category and maker: for shelves that purchases do not fill. Reveals no purchase."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, db_constraint=False, related_name="likenesses")
    similar = models.ForeignKey(Product, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    score = models.FloatField()
    rank = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "rank"], name="likeness_once")]
        verbose_name_plural = "product likenesses"

    def __str__(self) -> str:
        return f"{self.product_id} ~ {self.similar_id}"


class ProductPopularity(models.Model):
    """How well a product sells lately, counted over at least `run.k` distinct customers who allow it."""

    run = models.ForeignKey(ModelRun, on_delete=models.CASCADE, db_constraint=False, related_name="popularities")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, db_constraint=False, related_name="popularities")
    score = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "product"], name="popularity_once")]
        indexes = [models.Index(fields=["run", "-score"], name="popularity_order")]
        verbose_name_plural = "product popularities"

    def __str__(self) -> str:
        return str(self.product_id)


class ProductView(models.Model):
    """A customer opened a product page while that purpose was on. Written and, in time, deleted by `history` alone."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    viewed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "product"], name="view_latest_only")]
        indexes = [
            models.Index(fields=["customer", "-viewed_at"], name="view_latest"),
            models.Index(fields=["viewed_at"], name="view_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} saw {self.product_id}"


class Effect(models.Model):
    """What a datum lately did for its customer: on that day it put this product in that place.

    Stands on one of three: what they told us, a line they bought, a look. Goes with it, and after a while by itself.
    Written by `explanations` alone, for data whose switch was on at that moment.
    """

    class Place(models.TextChoices):
        HOME = "home", "your home shelf"
        FOR_YOU = "for_you", "your “For you” shelf"
        LETTER = "letter", "your letter of suggestions"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    interest = models.ForeignKey(Interest, on_delete=models.CASCADE, null=True, related_name="effects")
    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, null=True, related_name="+")
    view = models.ForeignKey(ProductView, on_delete=models.CASCADE, null=True, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    place = models.CharField(max_length=10, choices=Place.choices)
    shown_on = models.DateField()

    class Meta:
        ordering = ["-shown_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "interest", "line", "view", "product", "place"],
                nulls_distinct=False,
                name="effect_latest_only",
            ),
            models.CheckConstraint(
                condition=Q(interest__isnull=False, line=None, view=None)
                | Q(interest=None, line__isnull=False, view=None)
                | Q(interest=None, line=None, view__isnull=False),
                name="effect_of_one_datum",
            ),
        ]
        indexes = [models.Index(fields=["shown_on"], name="effect_expiry")]

    def __str__(self) -> str:
        return f"{self.place}: {self.product_id}"
