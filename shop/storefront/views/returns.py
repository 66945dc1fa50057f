"""“Return or exchange something” and “Something is wrong with it”: from an order, for whoever may see it."""

from typing import Any

import qrcode
from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.consent import purposes
from accounts.people.auth import get_login_customer
from orders import order_access, rate_limits
from orders.legal_guarantee import LEAST_YEARS
from orders.models import Order, ReturnAuthorization
from orders.papers.typesetting import build_pdf_response
from orders.returns import exchanging, labels, pictures, policy, requesting, return_wording, steps, wording
from orders.returns.refusal import ReturnRefused
from orders.returns.return_form import ReturnForm
from orders.returns.return_holdings import FILE_RETENTION
from shop.storefront import consent_prompts, page_cache
from shop.storefront.consent_prompts import ConsentPrompt, PromptPlace
from shop.storefront.views.order import make_story_context

Kind = ReturnAuthorization.Kind
REFRESH_SECONDS = 5
SAVED = "Your return has the number {}. What to do now is below."


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def order_return(request: HttpRequest, number: str) -> HttpResponse:
    """By the shop's policy: money back, or another size or colour."""
    return _answer_request(request, number, Kind.RETURN)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def order_fault(request: HttpRequest, number: str) -> HttpResponse:
    """Something is wrong with it: repair or replacement, as the buyer likes, at no cost to them."""
    return _answer_request(request, number, Kind.FAULTY)


def _answer_request(request: HttpRequest, number: str, kind: ReturnAuthorization.Kind) -> HttpResponse:
    order = order_access.get_order_or_404(request, number)
    rule = policy.build_agreed_policy(order, page_cache.get_cached_terms())
    left, left_out = requesting.find_returnable_pieces(order, kind, rule)
    may_exchange = kind == Kind.RETURN and rule.offers_exchange
    offered = exchanging.list_exchange_variants(left, store_id=order.pickup_store_id) if may_exchange and left else {}
    gone = [line for line in order.lines.all() if line not in left] if request.method == "POST" else ()
    form = ReturnForm(request.POST or None, request.FILES or None, kind=kind, left=left, offered=offered, gone=gone)
    if request.method == "POST" and left:
        if not rate_limits.is_within_rate_limit(request, "return", most_per_minute=settings.WITHDRAWALS_PER_MINUTE):
            return render(request, "429.html", status=429)
        if form.is_valid() and (answer := _request(request, order, form)):
            return answer
    context: dict[str, Any] = {
        "order": order,
        "form": form,
        "left_out": left_out,
        "policy": rule,
        "guarantee_years": LEAST_YEARS,
        "repaired_until": steps.compute_guarantee_after_repair(order) if kind == Kind.FAULTY else None,
        "picture_retention": FILE_RETENTION,
        "standing": list(order.returns.standing().prefetch_related("lines__order_line")),
    }
    if kind == Kind.RETURN:
        context["window"] = policy.compute_return_window(order.shipments.all(), rule)
        context["is_open"] = context["window"].is_open_at(timezone.now())
    return render(request, f"storefront/returns/{kind}.html", context)


def _request(request: HttpRequest, order: Order, form: ReturnForm) -> HttpResponse | None:
    """None where it is refused: the form says why, and keeps what was typed."""
    try:
        requested = requesting.request_return(order.pk, form.build_wish())
    except ReturnRefused as refusal:
        form.take_refusal(refusal)
        return None
    if requested.is_new:
        pictures.keep_pictures(requested.made, form.encoded)
        messages.success(request, SAVED.format(requested.made.number))
    return redirect("return", order.number, requested.made.number)


def _get_return_or_404(request: HttpRequest, number: str, rma: str) -> ReturnAuthorization:
    order = order_access.get_order_or_404(request, number)
    found: ReturnAuthorization = get_object_or_404(
        order.returns.select_related("refund", "exchange_order", "label").prefetch_related(
            "lines__order_line", "pictures"
        ),
        number=rma,
    )
    found.order = order
    return found


@never_cache
@require_safe
def return_page(request: HttpRequest, number: str, rma: str) -> HttpResponse:
    """How it goes on: what to do, where to send it, where it stands."""
    made = _get_return_or_404(request, number, rma)
    terms = page_cache.get_cached_terms()
    rule = policy.build_agreed_policy(made.order, terms)
    label = getattr(made, "label", None)
    may_have_label = labels.may_have_label(made, rule, terms.settings)
    context = {
        "order": made.order,
        "made": made,
        "story": make_story_context(return_wording.build_return_timeline(made)),
        "wanted": return_wording.WANTED_WORDS[ReturnAuthorization.Wanted(made.wanted)],
        "instructions": return_wording.describe_instructions(made, pays_postage=rule.pays_postage, label=label),
        "label": label,
        "label_words": return_wording.describe_label(label, is_coming=may_have_label),
        "may_ask_label": label is None and may_have_label,
        "refresh_seconds": REFRESH_SECONDS if label is not None and label.is_waiting and may_have_label else 0,
        "is_awaited": made.is_open and made.received_at is None,
        "ask": _find_prompt(request, made) if made.is_open else None,
        "longer": made.guarantee_until and wording.format_whole_day(made.guarantee_until),
    }
    return render(request, "storefront/returns/page.html", context)


def _find_prompt(request: HttpRequest, made: ReturnAuthorization) -> ConsentPrompt | None:
    """Whether to write as it goes: asked once, of the customer whose order it is, or of whoever came by its link."""
    keys = (purposes.MAIL_ORDER_RETURN,)
    customer = get_login_customer(request)
    if customer is None:
        return consent_prompts.get_prompt_for_guest(request, made.order.number, keys) if made.order.email else None
    if made.order.customer_id != customer.pk:
        return None
    return consent_prompts.get_prompt_for_page(request, PromptPlace.ORDER, keys)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def return_label(request: HttpRequest, number: str, rma: str) -> HttpResponse:
    """The carrier's label: asked for by POST, read by GET once it is there."""
    made = _get_return_or_404(request, number, rma)
    if request.method == "POST":
        if not rate_limits.is_within_rate_limit(request, "return", most_per_minute=settings.WITHDRAWALS_PER_MINUTE):
            return render(request, "429.html", status=429)
        try:
            labels.request_label(made, policy.build_agreed_policy(made.order, page_cache.get_cached_terms()))
        except ReturnRefused as refusal:
            messages.error(request, str(refusal))
        return redirect("return", number, rma)
    label = getattr(made, "label", None)
    stored = labels.read_label(label) if label else None
    if stored is None:
        raise Http404
    return build_pdf_response(stored, f"{made.number}.pdf", is_attachment=False)


@never_cache
@require_safe
def return_slip(request: HttpRequest, number: str, rma: str) -> HttpResponse:
    """To print and put into the parcel. Its QR code holds the number, which staff's scanner types for them."""
    made = _get_return_or_404(request, number, rma)
    context = {"order": made.order, "made": made, "qr": draw_qr_code(made.number)}
    return render(request, "storefront/returns/slip.html", context)


def draw_qr_code(text: str) -> dict[str, Any]:
    """The side of the code in modules, its border included, and the outline of its dark ones, for an SVG path."""
    code = qrcode.QRCode(border=2, error_correction=qrcode.ERROR_CORRECT_M)
    code.add_data(text)
    rows = code.get_matrix()
    dark = [(x, y) for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark]
    return {"side": len(rows), "path": "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)}


@never_cache
@require_safe
def return_picture(request: HttpRequest, number: str, rma: str, picture_id: int) -> HttpResponseBase:
    """A picture that the buyer sent, for whoever may see the order."""
    made = _get_return_or_404(request, number, rma)
    stored = pictures.read_picture(get_object_or_404(made.pictures, pk=picture_id))
    if stored is None:
        raise Http404
    return FileResponse(stored, content_type="image/webp")
