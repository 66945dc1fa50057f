"""A yes for an address nobody has proved waits here until the link mailed there is used (double opt-in)."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import AccountEvent, ConsentPayload, ConsentRequest, Customer
from accounts.people import tokens
from accounts.people.customers import get_or_create_proved_customer
from accounts.people.email_addresses import normalize_address
from shop import sealing
from shop.periods import Period

TOKEN_KIND = "consent-request"  # noqa: S105  (the name of a kind of link)
REQUEST_RETENTION = Period(weeks=2)  # and as long its link works


def request_consent(email: str, purpose_key: str, *, source: str) -> ConsentRequest | None:
    """Asks for a confirmation mail; asking again while one is open sends no second one within the hour.

    None when the address has said yes already and proved itself: it is not asked again. Nobody at a screen is to see
    that, who may be a stranger: what they are shown stays the same.
    Raises `UnreachableAddressError` for an address that no mail can reach.
    """
    purpose, address = purposes.get_purpose(purpose_key), normalize_address(email)
    if _has_confirmed(address, purpose.key):
        return None
    with transaction.atomic():
        request, is_new = ConsentRequest.objects.select_for_update().get_or_create(
            email=address,
            purpose=purpose.key,
            confirmed_at=None,
            defaults={"wording_version": purpose.wording_version, "source": source},
        )
        is_old = request.created_at < timezone.now() - timedelta(hours=1)
        if is_new or is_old or was_refused_since(request):
            ConsentRequest.objects.filter(pk=request.pk).update(created_at=timezone.now())
            AccountEvent.objects.create(kind=AccountEvent.Kind.CONSENT_REQUESTED, consent_request=request)
    return request


def _has_confirmed(address: str, purpose_key: str) -> bool:
    proved = {"customer__email__iexact": address, "customer__email_proved_at__isnull": False}
    return consent.find_granted_consents(purpose_key).filter(**proved).exists()


def make_confirmation_token(request: ConsentRequest) -> str:
    return tokens.sign_token(TOKEN_KIND, request=request.pk, about=_seal_request(request))


def find_request_by_token(token: str) -> ConsentRequest | None:
    """The request behind a mailed link; None when forged, too old, or not what the link was mailed for."""
    ids = tokens.read_token(token, TOKEN_KIND, max_age=REQUEST_RETENTION)
    request = ConsentRequest.objects.filter(pk=ids["request"]).first() if ids else None
    is_the_same = request is not None and ids is not None and ids.get("about") == _seal_request(request)
    return request if is_the_same else None


def _seal_request(request: ConsentRequest) -> str:
    """Address and purpose, sealed: a row that was rewritten to another's address is not proved by the old link."""
    return sealing.seal_facts("consent request", request.email, request.purpose).hex()[:16]


def was_refused_since(request: ConsentRequest) -> bool:
    """Whether the address has said no to it since it was last asked for."""
    later = Q(customer__email__iexact=request.email, purpose=request.purpose, answered_at__gt=request.created_at)
    newest = ConsentPayload.objects.filter(later).order_by("-answered_at", "-record__sequence").first()
    return newest is not None and not newest.granted


def confirm_request(request: ConsentRequest) -> Customer:
    """The link was used: the address is proved and the yes counts. Using it again changes nothing.

    The yes is as old as the asking for it: a no given since, by whatever door, stands.
    """
    customer = get_or_create_proved_customer(request.email)
    is_refused = was_refused_since(request)
    is_first = ConsentRequest.objects.filter(pk=request.pk, confirmed_at=None).update(confirmed_at=timezone.now())
    if is_first and not is_refused:
        consent.set_consent(customer, request.purpose, granted=True, source="mailed_link")
    return customer
