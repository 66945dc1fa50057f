"""What the mails say that answer what somebody asked about their own data. They link to pages, never to a file."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts.people import tokens
from accounts.privacy import erasure, export
from notifications import links
from notifications.render_batch import EmailContext

Context = dict[str, Any]


def export_ready(letter: EmailContext) -> Context:
    return {"page_url": links.build_absolute_url(reverse("own_data")), "days": export.COPY_RETENTION.days}


def erasure_asked_for(letter: EmailContext) -> Context:
    """`due_on` is empty when it was to happen at once."""
    context = letter.email.context
    token = tokens.sign_token(erasure.TOKEN_KIND, erasure=context["erasure"])
    due_at = timezone.localtime(datetime.fromisoformat(context["due_at"]))
    return {
        "page_url": links.build_absolute_url(reverse("erasure", args=[token])),
        "due_on": "" if context["at_once"] else f"{due_at:%-d %B %Y}",
    }
