from accounts.models.access import AccessKind, AccessLogEntry
from accounts.models.access_record import AccessLogRecord
from accounts.models.address import Address
from accounts.models.ask import Ask, ForgottenPast
from accounts.models.checkpoint import ConsentCheckpoint
from accounts.models.complaint import DataComplaint
from accounts.models.consent import Consent, ConsentPayload, ConsentRecord, ConsentRequest
from accounts.models.customer import Customer
from accounts.models.event import AccountEvent
from accounts.models.fresh_link import FreshLink
from accounts.models.interest import Interest
from accounts.models.own_data import DataExport, Erasure
from accounts.models.profile import MailCadence, PreferenceProfile
from accounts.models.user import User
from accounts.models.wording import Wording

__all__ = [
    "AccessKind",
    "AccessLogEntry",
    "AccessLogRecord",
    "AccountEvent",
    "Address",
    "Ask",
    "Consent",
    "ConsentCheckpoint",
    "ConsentPayload",
    "ConsentRecord",
    "ConsentRequest",
    "Customer",
    "DataComplaint",
    "DataExport",
    "Erasure",
    "ForgottenPast",
    "FreshLink",
    "Interest",
    "MailCadence",
    "PreferenceProfile",
    "User",
    "Wording",
]
