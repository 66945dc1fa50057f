from django.db import models


class ConsentCheckpoint(models.Model):
    """That a checkpoint of the consent ledger was written to a file outside the database, and the file's hash.

    Receipts quote the latest, so that the hash is in many hands.
    """

    file_name = models.CharField(max_length=80, unique=True)
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-made_at"]
        get_latest_by = "made_at"

    def __str__(self) -> str:
        return self.file_name
