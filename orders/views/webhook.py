from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.carriers.base import BadNotice, SignedRequest, read_notice
from orders.carriers.scan_formats import SCAN_FORMATS
from orders.fulfilment import scans
from orders.gateways import stripe
from orders.payments import stripe_events

LARGEST_CARRIER_BODY = 256 * 1024  # a parcel's whole life is a few kilobytes


@csrf_exempt  # signed by Stripe instead
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Keeps what Stripe says and answers; `stripe_events` deals with it from the row."""
    event = stripe.read_event(request.body, request.headers.get("Stripe-Signature", ""))
    if event is None:
        return HttpResponse("The signature does not fit.", status=400, content_type="text/plain")
    stripe_events.store_event(event)
    return HttpResponse("Noted.", content_type="text/plain")


@csrf_exempt  # signed by the carrier instead
@require_POST
def carrier_webhook(request: HttpRequest, carrier: str) -> HttpResponse:
    """Keeps what a carrier says and answers; `scans` deals with it from the row. Known number or not, all are
    answered alike.
    """
    scan_format = SCAN_FORMATS.get(carrier)
    if scan_format is None:
        raise Http404
    body = request.read(LARGEST_CARRIER_BODY + 1)
    if len(body) > LARGEST_CARRIER_BODY:
        return _refuse("The message is too large.", status=413)
    signed = SignedRequest("POST", request.path, request.headers, body)
    if not any(scan_format.is_signed(signed, secret) for secret in settings.CARRIER_WEBHOOK_SECRETS):
        return _refuse("The signature does not fit, or is too old.")
    try:
        scans.store_notice(carrier, read_notice(scan_format, body))
    except BadNotice as problem:
        return _refuse(str(problem))
    return HttpResponse("Noted.", content_type="text/plain")


def _refuse(why: str, *, status: int = 400) -> HttpResponse:
    return HttpResponse(why, status=status, content_type="text/plain; charset=utf-8")
