from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.http import HttpRequest

from accounts.customers import join_login


class AccountAdapter(DefaultAccountAdapter):
    """Allauth's doors into the shop."""

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> Any:
        """Somebody proved an address: their login and the customer of that address become one."""
        confirmed = super().confirm_email(request, email_address)
        if confirmed:
            join_login(email_address.user, email_address.email)
        return confirmed
