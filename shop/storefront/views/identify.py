"""Who are you? Signing in, or a link mailed to an address without an account, which opens all we hold about it."""

from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import FreshLink
from accounts.people import fresh_links, guest_session
from accounts.people.auth import get_customer, get_login_customer
from accounts.people.email_addresses import EmailAddressInput
from orders import order_access

DESTINATIONS = ("/account/", "/orders/")  # where a link may lead
LINK_PATH = "/account/link/"


class FreshLinkForm(forms.Form):
    email = EmailAddressInput()


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def fresh_link(request: HttpRequest) -> HttpResponse:
    """The same answer for every address: what differs is in the mail, for its reader alone."""
    leads_to = _read_destination(request.POST.get("next") or request.GET.get("next", ""))
    if get_customer(request) is not None:
        return redirect(leads_to)
    form = FreshLinkForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        if not ratelimit.consume(request, action="fresh_link", key=email):
            return render(request, "429.html", status=429)
        fresh_links.request_fresh_link(request, email, leads_to=leads_to)
        return redirect("fresh_link_sent")
    return render(request, "storefront/who/ask.html", {"form": form, "next": leads_to})


def _read_destination(url: str) -> str:
    """A page of the account or of an order, on this site; the switches otherwise."""
    is_ours = url_has_allowed_host_and_scheme(url, allowed_hosts=None) and url.startswith(DESTINATIONS)
    return url if is_ours and len(url) <= 200 and not url.startswith(LINK_PATH) else reverse("preferences")


@never_cache
@require_safe
def fresh_link_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "storefront/who/sent.html")


@never_cache
@require_safe
def open_fresh_link(request: HttpRequest, token: str) -> HttpResponse:
    """From the mail: the token leaves the address bar at once, and is not spent: a mail scanner changes nothing."""
    link = fresh_links.find_link_by_token(token)
    if link is None:
        return _render_expired_link(request)
    request.session[guest_session.PENDING_LINK_KEY] = link.pk
    answer = redirect("fresh_link_use")
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def fresh_link_use(request: HttpRequest) -> HttpResponse:
    """The button that spends the link and lets this browser in."""
    link = FreshLink.objects.live().filter(pk=request.session.get(guest_session.PENDING_LINK_KEY, 0)).first()
    if link is None:
        return _render_expired_link(request)
    if request.method != "POST":
        return render(request, "storefront/who/use.html", {"link": link, "signed_in": get_login_customer(request)})
    return _enter_by_link(request, link)


def _enter_by_link(request: HttpRequest, link: FreshLink) -> HttpResponse:
    if get_login_customer(request) is not None:
        messages.error(request, "You are signed in. Sign out first, then press the button again.")
        return redirect("fresh_link_use")
    customer = fresh_links.use_fresh_link(link.pk)
    del request.session[guest_session.PENDING_LINK_KEY]
    if customer is None:
        return _render_expired_link(request)
    guest_session.start_guest_session(request, customer)
    return redirect(link.leads_to)


def _render_expired_link(request: HttpRequest) -> HttpResponse:
    context = {"form": FreshLinkForm(), "next": reverse("preferences"), "is_run_out": True}
    return render(request, "storefront/who/ask.html", context, status=404)


@require_POST
def close_guest_session(request: HttpRequest) -> HttpResponse:
    """I am done: nothing of that guest is open in this browser any more. The cart stays."""
    guest_session.end_guest_session(request)
    order_access.revoke_order_access(request)
    messages.success(request, "Closed. To see it again, have a new link mailed.")
    return redirect("home")
