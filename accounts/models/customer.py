import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from accounts.people.email_addresses import EmailAddressField


class Customer(models.Model):
    """The person we serve. Preferences, orders and consents hang here, never on the login.

    `user` is empty for guests; `email` for people imported from elsewhere, who have an `external_reference`.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="customer"
    )
    email = EmailAddressField("e-mail", null=True, blank=True)
    email_proved_at = models.DateTimeField(null=True, blank=True)
    name = models.CharField(max_length=120, blank=True)
    external_reference = models.CharField(max_length=80, null=True, blank=True, unique=True)
    chain = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="Of the consent ledger.")
    created_at = models.DateTimeField(auto_now_add=True)

    home = ("", "")  # country and postcode of the first address, where the customer was read with a login

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="customer_email_once")]

    def __str__(self) -> str:
        """Never the address: this stands in titles, logs and messages."""
        return self.name or f"Customer {self.external_reference or self.pk}"

    @property
    def is_guest(self) -> bool:
        return self.user_id is None

    @property
    def is_proved(self) -> bool:
        """Whether they have shown that mail to their address reaches them."""
        return self.email_proved_at is not None
