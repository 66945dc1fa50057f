"""Why a weekly letter that somebody asked for did not come, in words for them."""

from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone

from accounts.models import Customer
from notifications.models import OutgoingEmail, SkipReason
from notifications.topics import RECOMMENDATIONS

WEEK = timedelta(days=7)
WORDS: Mapping[str, str] = {
    SkipReason.TOO_FEW: "fewer than three things were worth sending you.",
    SkipReason.OVER_CEILING: "you had as many mails as you want in a week.",
    SkipReason.SUPPRESSED: "your address refuses our mail.",
    SkipReason.NO_ADDRESS: "we have no e-mail address of yours.",
    SkipReason.UNPROVED: "you have not confirmed that your e-mail address is yours.",
}


def explain_missing_letter(customer: Customer) -> str:
    """The sentence about the letter of the last seven days; empty when it came, or none was due. One query."""
    letters = OutgoingEmail.objects.filter(customer=customer, topic=RECOMMENDATIONS.key)
    latest = letters.filter(created_at__gt=timezone.now() - WEEK).order_by("-created_at").first()
    if latest is None or latest.state != OutgoingEmail.State.SKIPPED or latest.skip_reason not in WORDS:
        return ""
    return f"No letter came this week: {WORDS[latest.skip_reason]}"
