"""The sample people: staff, Alice who ticked everything, Bob who ticked nothing, and sixty others in between."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlparse

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.consent import consent, purposes
from accounts.models import Address, Customer, User
from shop.sample import content, interests, mail_settings

ALICE, BOB, STAFF = "alice@saywhen.example", "bob@saywhen.example", "staff@saywhen.example"
PASSWORD = "say-when-please"  # noqa: S105  (known to all, so given out on one's own machine only)
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
LONGEST_KNOWN_DAYS = 430
SOURCE = "sample store"
USUAL_YES = 20  # in a hundred, to a purpose that people.toml does not name


@dataclass(frozen=True)
class SamplePerson:
    """`known_days`: how long ago they first came. `postal`: the fields of their address."""

    email: str
    name: str
    known_days: int
    postal: dict[str, str]


def list_people() -> list[SamplePerson]:
    """Everybody who buys, the same people each time."""
    draw, spoken = Random("the people of the sample store"), content.read_toml("people")  # noqa: S311  (not for secrets)
    first_names, last_names = spoken["first_names"], spoken["last_names"]
    people = [
        _make_person("Alice Thornbury", ALICE, 425, spoken, draw),
        _make_person("Bob Arkwright", BOB, 400, spoken, draw),
    ]
    for at, first in enumerate(first_names):
        last = last_names[(at * 7 + 3) % len(last_names)]
        email = f"{first}.{last}@saywhen.example".lower()
        people.append(_make_person(f"{first} {last}", email, draw.randint(150, LONGEST_KNOWN_DAYS), spoken, draw))
    return people


def _make_person(name: str, email: str, known_days: int, spoken: dict[str, Any], draw: Random) -> SamplePerson:
    city, postcode = draw.choice(spoken["towns"])
    line1 = f"{draw.randint(1, 88)} {draw.choice(spoken['streets'])}"
    postal = {"full_name": name, "line1": line1, "city": city, "postcode": postcode, "country": "GB"}
    return SamplePerson(email, name, known_days, postal)


@transaction.atomic
def create_people(*, now: datetime) -> int:
    """Makes who is missing, with address and answers; people already here are left as they are. Returns how many."""
    _get_or_create_login(STAFF, "Sam", "Ferris", is_staff=True, is_superuser=True)
    there = set(Customer.objects.values_list("email", flat=True))
    missing = [person for person in list_people() if person.email not in there]
    made = Customer.objects.bulk_create(
        Customer(email=person.email, name=person.name, email_proved_at=now - timedelta(days=person.known_days))
        for person in missing
    )
    ids = [customer.pk for customer in made]
    Customer.objects.filter(pk__in=ids).update(created_at=F("email_proved_at"))
    Address.objects.bulk_create(
        Address(customer=customer, is_default=True, **person.postal)
        for customer, person in zip(made, missing, strict=True)
    )
    for customer in made:
        if customer.email in (ALICE, BOB):
            first, last = customer.name.split()
            Customer.objects.filter(pk=customer.pk).update(user=_get_or_create_login(customer.email, first, last))
    consent.import_consents(
        [answer for customer in made for answer in _make_answers(customer, now=now)],
        source=SOURCE,
    )
    interests.create_interests(made, alice=ALICE, bob=BOB, now=now)
    mail_settings.create_mail_frequencies(made, leaving_alone=(ALICE, BOB))
    return len(made)


def _get_or_create_login(email: str, first_name: str, last_name: str, **rights: bool) -> User:
    """A login whose address counts as proved. It keeps the password it has; a new one gets ours, or none at all."""
    there = User.objects.filter(email=email).first()
    if there:
        return there
    password = PASSWORD if may_share_password() else None
    user = User.objects.create_user(email, password, first_name=first_name, last_name=last_name, **rights)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def may_share_password() -> bool:
    """Only a shop on this very machine has logins whose password everybody knows."""
    return urlparse(settings.SITE_URL).hostname in LOOPBACK


def _make_answers(customer: Customer, *, now: datetime) -> list[consent.ImportedAnswer]:
    """Alice says yes to everything, Bob is never asked; one in ten of the others thinks better of a yes."""
    if customer.email == BOB:
        return []
    if customer.email == ALICE:
        asked_at = now - timedelta(days=424)
        return [
            (customer.pk, purpose.key, True, asked_at + timedelta(minutes=at))
            for at, purpose in enumerate(purposes.PURPOSES)
        ]
    return _draw_answers(customer, now=now)


def _draw_answers(customer: Customer, *, now: datetime) -> list[consent.ImportedAnswer]:
    draw = Random(f"answers of {customer.email}")  # noqa: S311  (the same each time, not secret)
    said_at = customer.email_proved_at or now
    answers: list[consent.ImportedAnswer] = []
    says_yes = content.read_toml("people")["says_yes"]
    usual = {purpose.key: USUAL_YES for purpose in purposes.PURPOSES if purpose.key not in says_yes}
    for key, of_a_hundred in (says_yes | usual).items():
        if draw.randrange(100) >= of_a_hundred:
            continue
        said_at += timedelta(seconds=draw.randint(3, 40))
        answers.append((customer.pk, key, True, said_at))
        if draw.randrange(10) == 0:
            left_at = said_at + (now - said_at) * draw.random()
            answers.append((customer.pk, key, False, left_at))
    return answers
