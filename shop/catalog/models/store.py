from django.db import models


class Store(models.Model):
    """A place that holds stock. Parcels leave from the ones that ship."""

    name = models.CharField(max_length=80, unique=True)
    address = models.TextField(blank=True)
    ships_orders = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0, help_text="Parcels leave from the first that has the goods.")

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name
