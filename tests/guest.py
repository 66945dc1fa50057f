"""Somebody without an account, in a browser where a fresh link was used."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from accounts.models import Customer
from accounts.people import guest_session


def let_in(client: Client, customer: Customer, *, minutes: int = 60) -> Client:
    session = client.session
    until = timezone.now() + timedelta(minutes=minutes)
    session[guest_session.GUEST_KEY] = {"customer": customer.pk, "until": until.timestamp()}
    session.save()
    return client
