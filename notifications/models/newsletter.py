import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

_LOOKS_LIKE_A_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


def find_stray_links(text: str) -> list[str]:
    """The addresses in a text that lead away from the shop."""
    home = f"{settings.SITE_URL}/"
    return [link for link in _LOOKS_LIKE_A_LINK.findall(text) if not f"{link}/".startswith(home)]


class NewsletterIssue(models.Model):
    """A plain letter staff write once and send to everybody who asked for the newsletter."""

    subject = models.CharField(max_length=120)
    body = models.TextField(help_text="Plain paragraphs, an empty line between them. Links may lead to the shop alone.")
    created_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True, blank=True, editable=False)
    released_by = models.CharField(max_length=80, blank=True, editable=False)
    fanned_out_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.subject

    def clean(self) -> None:
        """Our mail links to nobody but ourselves."""
        if stray := find_stray_links(self.body):
            raise ValidationError({"body": f"Links lead to {settings.SITE_URL} only. Take out: {', '.join(stray)}"})
