"""Finding and making the customer behind a login or a proved address."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Customer, User
from accounts.people.address_verification import run_address_proved_callbacks
from accounts.people.email_addresses import normalize_address


def lock_customer(customer: Customer) -> None:
    """Until the transaction ends, nobody else changes what hangs on this customer."""
    Customer.objects.select_for_update().get(pk=customer.pk)


def get_or_create_proved_customer(email: str) -> Customer:
    """The customer of an address that somebody has just shown to be theirs; made as a guest when there is none."""
    customer = _get_or_create_by_email(normalize_address(email))
    if customer.email_proved_at is None:
        customer.email_proved_at = timezone.now()
        customer.save(update_fields=["email_proved_at"])
    run_address_proved_callbacks(customer)
    return customer


def _get_or_create_by_email(email: str) -> Customer:
    found = Customer.objects.filter(email__iexact=email).first()
    if found:
        return found
    try:
        with transaction.atomic():
            return Customer.objects.create(email=email)
    except IntegrityError:  # somebody made it between our look and our try
        return Customer.objects.get(email__iexact=email)


def link_login(user: User, email: str) -> Customer:
    """Ties a login to the customer of the address it has just proved, who may have been a guest so far.

    When the login already has a customer of its own (it changed its address), that one takes the address over, and with
    it every no that was said there after its own yes: nothing an address refused comes back by a change of hands.
    """
    email = normalize_address(email)
    _carry_over_refusals(user, email)
    with transaction.atomic():
        own = Customer.objects.select_for_update().filter(user=user).first()
        if own is None:
            own = _get_or_create_by_email(email)
            own.user = user
        elif own.email != email:
            Customer.objects.filter(email__iexact=email, user=None).update(email=None)
            own.email = email
        own.email_proved_at = timezone.now()
        own.save(update_fields=["user", "email", "email_proved_at"])
    run_address_proved_callbacks(own)
    return own


def _carry_over_refusals(user: User, email: str) -> None:
    own = Customer.objects.filter(user=user).exclude(email__iexact=email).first()
    guest = Customer.objects.filter(user=None, email__iexact=email).first() if own else None
    if own is None or guest is None:
        return
    allowed = dict(own.consents.filter(chosen=True).values_list("purpose", "changed_at"))
    for key, refused_at in guest.consents.filter(chosen=False).values_list("purpose", "changed_at"):
        if key in allowed and refused_at > allowed[key] and purposes.is_purpose(key):
            consent.set_consent(own, key, granted=False, source="taken_over")


def get_or_create_customer(user: User) -> Customer:
    """The customer of a login. Logins made by staff, which never proved an address, get one without an address."""
    customer: Customer | None = getattr(user, "customer", None)
    if customer is not None:
        return customer
    customer, _ = Customer.objects.get_or_create(user=user, defaults={"name": user.get_full_name()})
    return customer
