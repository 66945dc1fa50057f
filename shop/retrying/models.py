from django.db import models


class StuckItem(models.Model):
    """An item of a background loop that failed and is waiting to be tried again. The row goes once it succeeds.

    `loop` is the key of a `shop.retrying.loops.Loop`; `item` names what failed within it, such as a primary key.
    Times are the database's. Neither `subject` nor `error` holds personal data.
    """

    loop = models.CharField(max_length=40)
    item = models.CharField(max_length=120, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    error = models.CharField(max_length=300, blank=True)
    attempt_count = models.PositiveIntegerField(default=1)
    first_failed_at = models.DateTimeField()
    last_failed_at = models.DateTimeField()
    retry_at = models.DateTimeField()

    class Meta:
        ordering = ["first_failed_at"]
        constraints = [models.UniqueConstraint(fields=["loop", "item"], name="stuck_item_once")]

    def __str__(self) -> str:
        return self.subject or f"{self.loop} {self.item}"
