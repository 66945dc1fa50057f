from accounts.models.address import Address
from accounts.models.consent import Consent, ConsentPayload, ConsentRecord, ConsentRequest
from accounts.models.customer import Customer
from accounts.models.event import AccountEvent
from accounts.models.profile import MailCadence, PreferenceProfile
from accounts.models.user import User
from accounts.models.wording import Wording

__all__ = [
    "AccountEvent",
    "Address",
    "Consent",
    "ConsentPayload",
    "ConsentRecord",
    "ConsentRequest",
    "Customer",
    "MailCadence",
    "PreferenceProfile",
    "User",
    "Wording",
]
