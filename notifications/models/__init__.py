from notifications.models.newsletter import NewsletterIssue
from notifications.models.outgoing import OutgoingEmail, OutgoingItem, SkipReason
from notifications.models.suppression import Suppression

__all__ = ["NewsletterIssue", "OutgoingEmail", "OutgoingItem", "SkipReason", "Suppression"]
