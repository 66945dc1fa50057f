from django.db import models


class Wording(models.Model):
    """The words of a purpose as they stood when somebody first answered them. Kept for good: answers point here."""

    hash = models.CharField(max_length=64, primary_key=True)
    purpose = models.CharField(max_length=60)
    version = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    explanation = models.TextField()
    reads = models.TextField()
    gives = models.TextField()
    first_used_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.title} (version {self.version})"
