from django.db import models
from django.urls import reverse

ACCESSIBILITY = "accessibility"  # the slug of the statement that the law asks for: linked also before it is written


class InfoPageQuerySet(models.QuerySet["InfoPage"]):
    def unwritten(self) -> "InfoPageQuerySet":
        """Those that customers can open and that say nothing of the shop's own yet."""
        is_empty = models.Q(body="", facts="", is_published=True)
        return self.filter(is_empty | models.Q(slug=ACCESSIBILITY) & (models.Q(is_published=False) | models.Q(body="")))


class InfoPage(models.Model):
    """A page of words that staff keep: delivery, returns, terms, contact, or one of their own."""

    class Facts(models.TextChoices):
        """What the shop adds below the words, drawn from the settings of this moment."""

        NOTHING = "", "Nothing"
        DELIVERY = "delivery", "Ways of delivery, what they cost and how long they take"
        CONTACT = "contact", "Address and e-mail"
        RETURNS = "returns", "What may be sent back, until when, and who pays"

    title = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60, unique=True, help_text="Its address: /pages/<this>/.")
    body = models.TextField(
        "words",
        blank=True,
        help_text="An empty line begins a paragraph, ## a heading, - an item of a list. [words](https://…) is a link.",
    )
    facts = models.CharField("below the words", max_length=12, choices=Facts.choices, blank=True)
    is_published = models.BooleanField(default=False, help_text="Shown, and linked in the foot of every page.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Its place in the foot.")
    updated_at = models.DateTimeField(auto_now=True)

    objects = InfoPageQuerySet.as_manager()

    class Meta:
        ordering = ["position", "title"]
        verbose_name = "information page"

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("info_page", args=[self.slug])

    @property
    def awaits_statement(self) -> bool:
        """Whether it is the statement of accessibility and not out yet: its page says how to reach the shop instead."""
        return self.slug == ACCESSIBILITY and not (self.is_published and self.body)
