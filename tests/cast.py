"""The people of the tests. Alice said yes to everything, Bob to nothing, Charlie is a stranger; Sam works here."""

from accounts.consent import purposes
from accounts.models import Customer, User
from tests import builders


def alice() -> Customer:
    every = tuple(purpose.key for purpose in purposes.PURPOSES)
    return builders.customer("alice@example.com", name="Alice Marsh", ticks=every)


def bob() -> Customer:
    return builders.customer("bob@example.com", name="Bob Tarn")


CHARLIE = "charlie@example.com"


def sam() -> User:
    return User.objects.create_superuser("sam@example.com", builders.PASSWORD, first_name="Sam")
