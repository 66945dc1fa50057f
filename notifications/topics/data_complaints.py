"""A complaint about data: that it came, at once; and what staff answer. To the address given with it, whoever's it is.

The first says nothing of what was written: anybody may have typed that address.
"""

from collections.abc import Iterator

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.consent.purposes import MailKind
from accounts.models import AccountEvent, Customer, DataComplaint
from accounts.privacy import complaints
from accounts.privacy.complaints import ANSWER_PERIOD
from notifications import links
from notifications.topics.definition import Context, Draft, EmailContext, Topic
from notifications.topics.sample_data import NOT_SAVED, compose_sample


def _draft_complaint_news(topic: Topic, event: AccountEvent) -> Iterator[Draft]:
    """To nobody once the complaint is gone."""
    if event.complaint is not None:
        context = {"complaint": event.complaint.pk}
        yield Draft(f"{topic.key}:{event.complaint.pk}", topic, event.complaint.email, context=context)


def _build_complaint_news(letter: EmailContext) -> Context | None:
    complaint: DataComplaint | None = letter.named(letter.desk.complaints, "complaint")
    if complaint is None:
        return None
    return {
        "came_on": date_format(timezone.localtime(complaint.received_at), "j F Y"),
        "due_on": date_format(complaint.due_on, "j F Y"),
        "period": str(ANSWER_PERIOD),
        "answer": complaint.answer,
        "page_url": links.build_absolute_url(reverse("privacy")),
    }


def _compose_complaint_sample(customer: Customer, topic: Topic) -> EmailContext:
    now = timezone.now()
    made = DataComplaint(
        pk=NOT_SAVED,
        full_name=customer.name,
        email=customer.email or "",
        received_at=now,
        due_on=complaints.compute_answer_day(now),
        answer="You were right: we had kept it too long. It is deleted now.",
    )
    return compose_sample(customer, topic, context={"complaint": made.pk}, complaints={made.pk: made})


COMPLAINT_RECEIVED = Topic(
    "data_complaint_received",
    MailKind.ESSENTIAL,
    title="Complaint about data received",
    because="You get this whatever is ticked: somebody sent us a complaint about data, with this address.",
    event=AccountEvent.Kind.COMPLAINT_RECEIVED,
    draft=_draft_complaint_news,
    context=_build_complaint_news,
    sample=_compose_complaint_sample,
)
COMPLAINT_ANSWERED = Topic(
    "data_complaint_answered",
    MailKind.ESSENTIAL,
    title="Complaint about data answered",
    because="You get this whatever is ticked: it answers the complaint about data that was sent with this address.",
    event=AccountEvent.Kind.COMPLAINT_ANSWERED,
    draft=_draft_complaint_news,
    context=_build_complaint_news,
    sample=_compose_complaint_sample,
)
