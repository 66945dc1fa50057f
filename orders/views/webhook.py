from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.gateways import stripe
from orders.payments import stripe_events


@csrf_exempt  # signed by Stripe instead
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Keeps what Stripe says and answers; `stripe_events` deals with it from the row."""
    event = stripe.read_event(request.body, request.headers.get("Stripe-Signature", ""))
    if event is None:
        return HttpResponse("The signature does not fit.", status=400, content_type="text/plain")
    stripe_events.store_event(event)
    return HttpResponse("Noted.", content_type="text/plain")
