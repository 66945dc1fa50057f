import pgtrigger
from django.db import models
from django.utils import timezone

from shop import sealing


class Wording(models.Model):
    """The words of a purpose as they stood when somebody first answered them. Kept for good: answers point here.

    `hash` is of the words, `seal` of all of it; triggers keep the table append-only.
    """

    hash = models.CharField(max_length=64, primary_key=True)
    purpose = models.CharField(max_length=60)
    version = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    explanation = models.TextField()
    reads = models.TextField()
    gives = models.TextField()
    first_used_at = models.DateTimeField(default=timezone.now, editable=False)
    seal = models.BinaryField(max_length=32)

    class Meta:
        triggers = [
            pgtrigger.Protect(name="wording_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="wording_no_truncate",
                operation=pgtrigger.Truncate,
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'pgtrigger: the words that were answered are append-only';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} (version {self.version})"

    @property
    def words(self) -> str:
        return "\n".join((self.title, self.explanation, self.reads, self.gives))

    @property
    def facts(self) -> tuple[str | int, ...]:
        """All that its seal covers."""
        return (self.hash, self.purpose, self.version, self.words, sealing.format_sealed_moment(self.first_used_at))
