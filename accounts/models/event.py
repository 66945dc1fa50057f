from django.db import models
from django.db.models import Q

from accounts.models.complaint import DataComplaint
from accounts.models.consent import ConsentRequest
from accounts.models.customer import Customer
from shop.events import EventRow


class AccountEvent(EventRow):
    """What happened to a customer or to an address that asked for something."""

    class Kind(models.TextChoices):
        CONSENT_REQUESTED = "consent_requested"
        EXPORT_READY = "export_ready"
        ERASURE_ASKED_FOR = "erasure_asked_for"
        COMPLAINT_RECEIVED = "complaint_received"
        COMPLAINT_ANSWERED = "complaint_answered"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, null=True, related_name="events")
    consent_request = models.ForeignKey(ConsentRequest, on_delete=models.CASCADE, null=True, related_name="+")
    complaint = models.ForeignKey(DataComplaint, on_delete=models.CASCADE, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["id"], condition=Q(relayed_at=None), name="account_event_unrelayed")]

    def __str__(self) -> str:
        return self.kind
