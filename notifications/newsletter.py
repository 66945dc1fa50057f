"""The newsletter's life: staff write a draft, look at it, and send it once."""

from django.db.models import Count
from django.utils import timezone

from notifications import lengths
from notifications.lengths import TooLongError
from notifications.models import NewsletterIssue, OutgoingEmail
from notifications.topics import NEWSLETTER


def release_issue(issue_id: int, *, actor: str) -> bool:
    """Hands a draft over to be sent to everybody who asked for it. False when somebody has done so already.

    Raises `TooLongError` for a letter whose end no reader would see.
    """
    drafts = NewsletterIssue.objects.filter(pk=issue_id, released_at=None)
    for issue in drafts:
        size = lengths.measure_newsletter(issue.subject, issue.body)
        if size > lengths.MOST_BYTES:
            raise TooLongError(size)
    return drafts.update(released_at=timezone.now(), released_by=actor) == 1


def count_issue_mails(issue: NewsletterIssue) -> list[tuple[str, int]]:
    """(state, how many) of its mails."""
    mails = OutgoingEmail.objects.filter(topic=NEWSLETTER.key, key__startswith=f"newsletter:{issue.pk}:")
    rows = mails.order_by().values("state").annotate(count=Count("pk"))
    return [(OutgoingEmail.State(row["state"]).label, row["count"]) for row in rows]
