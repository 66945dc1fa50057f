from django.db import models


class NewsletterIssue(models.Model):
    """A plain letter staff write once and send to everybody who asked for the newsletter."""

    subject = models.CharField(max_length=120)
    body = models.TextField(help_text="Plain paragraphs, an empty line between them. Links are made clickable.")
    created_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True, blank=True, editable=False)
    released_by = models.CharField(max_length=80, blank=True, editable=False)
    fanned_out_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.subject
