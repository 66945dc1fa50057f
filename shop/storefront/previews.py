"""The shop as it would be after an answer, at the customer's own request: the real page or mail, with nothing written.

The page's own view runs on a copy of the visit, as if the customer had answered so
(`accounts.consent.consent.overlay_answers`), in a transaction in which the database refuses to write, and which is
rolled back. A shelf (`recommendations.picks`) and a mail topic say where their switches show; a switch of anything else
says it here.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.contrib.sessions.backends.base import SessionBase
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.urls import resolve, reverse
from django.utils.html import format_html
from django_htmx.middleware import HtmxDetails

from accounts.consent import consent, purposes
from accounts.models import Customer
from accounts.preferences import cadence
from notifications import samples
from notifications.topics import BY_PURPOSE
from recommendations import picks, visitors
from recommendations.picks import FROM_VISIT, SHELVES, Audience, Page, Shelf, ShelfPurpose
from shop.catalog.models import Product
from shop.storefront import preview_html

_LINE = '<p class="muted" style="margin:0;padding:14px 16px 0;font:14px/1.5 system-ui,sans-serif;color:#655b50">'
_SUBJECT = f"{_LINE}Subject: <strong>{{}}</strong></p>"
_NOTE = f"{_LINE}{{}}</p>"
NO_CUSTOMER_ID = 0  # whom an overlay is for that only turns the recorders off


@dataclass(frozen=True)
class PreviewTarget:
    """Where a switch shows. `where` names it; `url` is its page for this customer, None for a mail.

    `off` and `on` are said in place of what a switch shows, where there is nothing to show. `note` is said above both
    sides: why they may look alike.
    """

    where: str
    url: Callable[[Customer], str] | None = None
    off: str = "Nothing stands here while it is off."
    on: str = "Nothing to show yet."
    note: Callable[[Customer], str] = lambda customer: ""


def _get_front_page_url(customer: Customer) -> str:
    return reverse("home")


def _get_account_url(customer: Customer) -> str:
    return reverse("account")


def _get_interests_url(customer: Customer) -> str:
    return reverse("told")


def _get_influenced_product_url(customer: Customer) -> str:
    """Where the customer's own purchases count; else the page of what they bought last; else of what sells well."""
    product_id = (
        picks.find_most_influenced_product(customer) or _find_last_bought_product(customer) or _find_best_seller()
    )
    product = Product.objects.published().filter(pk=product_id).first() if product_id else None
    return product.get_absolute_url() if product else reverse("home")


def _find_last_bought_product(customer: Customer) -> int | None:
    kept = {"lines__is_gift": False, "lines__is_excluded": False, "lines__is_returned": False}
    lines = customer.orders.filter(**kept, lines__product__is_published=True)
    return lines.order_by("-placed_at", "-pk").values_list("lines__product", flat=True).first()


def _find_best_seller() -> int | None:
    return next((pick.product_id for pick in picks.pick_popular(limit=1)), None)


def _explain_pending_purchases(customer: Customer) -> str:
    if picks.find_most_influenced_product(customer):
        return ""
    if _find_last_bought_product(customer):
        return (
            "Both sides look alike for now. The shelves are worked out a few times a day; what you bought counts from "
            "the next time on, if you let it."
        )
    return "Both sides look alike: you have bought nothing yet that could count."


def _build_sample_note(key: str) -> Callable[[Customer], str]:
    def note(customer: Customer) -> str:
        made_up = "You have no order with us yet, so the mail tells of a made-up one."
        return made_up if samples.is_made_up(customer, key) else ""

    return note


_ALIKE_NOTE = "Both sides look alike just now: there is nothing of yours yet that this switch would add or take away."
_NOTHING_TO_SAY = "On, and still no mail would come: there is nothing to put into it."
_MAIL_TARGETS = {
    key: PreviewTarget("The mail", off="Off: no mail would come.", on=_NOTHING_TO_SAY, note=_build_sample_note(key))
    for key in BY_PURPOSE
}
_PREVIEW_PAGES = {
    Page.HOME: PreviewTarget("The front page", _get_front_page_url),
    Page.ACCOUNT: PreviewTarget("The page of your account", _get_account_url),
    Page.PRODUCT: PreviewTarget("A product’s page", _get_influenced_product_url, note=_explain_pending_purchases),
}


def _build_shelf_target(shelf: Shelf, switch: ShelfPurpose) -> PreviewTarget:
    return replace(_PREVIEW_PAGES[shelf.pages[0]], off=switch.off, on=switch.on)


_SHELF_TARGETS = {
    switch.key: _build_shelf_target(shelf, switch)
    for shelf in SHELVES.values()
    for switch in shelf.stands_on
    if shelf.audience is not Audience.VISITORS and shelf.pages[0] in _PREVIEW_PAGES
}
PREVIEW_TARGETS: Mapping[str, PreviewTarget] = (
    _MAIL_TARGETS
    | _SHELF_TARGETS
    | {
        purposes.RECEIPT_OFFER: PreviewTarget(
            "The receipt",
            off="Off: the receipt comes without an offer.",
            on="On, and still no offer: nothing on our shelves goes with this order.",
            note=_build_sample_note(purposes.RECEIPT_OFFER),
        ),
        purposes.MAIL_RECOMMENDATIONS: PreviewTarget(
            "The mail",
            off="Off: no mail would come.",
            on="On, and still no letter would come this week: fewer than three things are worth sending you.",
        ),
        purposes.GUESS_SIZES: PreviewTarget(
            "The page “What I told you”", _get_interests_url, off="Off: no size is guessed."
        ),
        purposes.PERSONAL_SHOPPER.key: replace(
            _PREVIEW_PAGES[Page.HOME],
            off="Off: no “For you” shelf stands here, whatever your single switches say.",
            on="On, and nothing to show: no switch that suggests things is on, or we have nothing to start from.",
        ),
    }
)

VISITOR_TARGET = _build_shelf_target(FROM_VISIT, FROM_VISIT.stands_on[0])


def get_preview_target(purpose_key: str) -> PreviewTarget:
    """Where the switch shows; the front page for one that names no place."""
    return PREVIEW_TARGETS.get(purpose_key, _PREVIEW_PAGES[Page.HOME])


def list_preview_notes(request: HttpRequest, customer: Customer, purpose_key: str) -> list[str]:
    """What to know before looking: why both sides may look alike, or that a sample is made up."""
    said = [get_preview_target(purpose_key).note(customer), _describe_digest(customer, purpose_key)]
    if purpose_key in purposes.UNDER_MASTER and not consent.is_master_on(customer):
        said.append(
            "Both sides look alike for now: you turned the whole personal shopper off, and this rests until you "
            "turn it on again."
        )
    said = [each for each in said if each]
    return said or ([_ALIKE_NOTE] if _is_alike_on_both_sides(request, customer, purpose_key) else [])


def _is_alike_on_both_sides(request: HttpRequest, customer: Customer, purpose_key: str) -> bool:
    """Whether what stands there stands there either way, as when another switch brings the same."""
    if get_preview_target(purpose_key).url is None:
        return False
    off, on = (
        preview_html.find_marked_sections(
            render_side(request, customer, purpose_key, granted=granted),
            consent.build_overlay_answers(customer, purpose_key, granted=granted),
        )
        for granted in (False, True)
    )
    return off == on != []


def _describe_digest(customer: Customer, purpose_key: str) -> str:
    """For news that the customer has in one letter."""
    if purpose_key not in BY_PURPOSE or not samples.is_gathered(customer, purpose_key):
        return ""
    often = cadence.get_cadence_label(purpose_key, cadence.get_cadence(customer, purpose_key)).lower()
    return f"You have such news {often}, together with what else has happened: it would be one piece of that mail."


def render_side(request: HttpRequest, customer: Customer, purpose_key: str, *, granted: bool) -> str:
    """The HTML of one side. Whatever it would write, it fails rather than writes."""
    answers = consent.build_overlay_answers(customer, purpose_key, granted=granted)
    with read_only_transaction(), consent.overlay_answers(customer.pk, answers):
        seen = get_preview_target(purpose_key)
        nothing = seen.on if granted else seen.off
        if seen.url is None:
            return _render_mail(request, customer, purpose_key, nothing=nothing)
        answer = get_page_response(request, seen.url(customer))
    return preview_html.freeze_page(answer.content.decode(), purposes=answers, nothing=nothing)


@contextmanager
def read_only_transaction() -> Iterator[None]:
    """A transaction in which PostgreSQL refuses to write; rolled back at its end."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        try:
            yield
        finally:
            transaction.set_rollback(True)


class ReadOnlySession(SessionBase):
    """A copy of a visit's session, for looking things up in. It cannot be saved."""

    def __init__(self, of: SessionBase) -> None:
        super().__init__(of.session_key)
        self._session_cache = copy.deepcopy(dict(of.items()))


def render_visitor_side(request: HttpRequest, *, granted: bool) -> str:
    """The front page with a visitor's own switch on or off, which lives in their session and here in a copy of it."""
    inner = copy_request(request, reverse("home"))
    if not granted:
        inner.session.pop(visitors.SESSION_KEY, None)
    with read_only_transaction(), consent.overlay_answers(NO_CUSTOMER_ID, {}):
        if granted:
            visitors.turn_on_history(inner)
        answer = _call_view(inner)
    nothing = VISITOR_TARGET.on if granted else VISITOR_TARGET.off
    return preview_html.freeze_page(answer.content.decode(), purposes=[purposes.VISITOR_HISTORY.key], nothing=nothing)


def get_page_response(request: HttpRequest, url: str) -> HttpResponse:
    """The answer of a page's own view, to a copy of this visit."""
    return _call_view(copy_request(request, url))


def _call_view(inner: HttpRequest) -> HttpResponse:
    match = resolve(inner.path)
    answer: HttpResponse = match.func(inner, *match.args, **match.kwargs)
    return answer


def copy_request(request: HttpRequest, url: str) -> HttpRequest:
    """This visit asking for a page by GET: nothing done to it reaches the real one."""
    inner = copy.copy(request)
    inner.method, inner.path, inner.path_info = "GET", url, url
    inner.META = {**request.META, "REQUEST_METHOD": "GET", "PATH_INFO": url, "QUERY_STRING": ""}
    inner.GET, inner.POST = QueryDict(), QueryDict()
    inner.session = ReadOnlySession(request.session)
    inner.resolver_match = resolve(url)
    inner.htmx = HtmxDetails(inner)  # type: ignore[attr-defined]
    inner.is_preview = True  # type: ignore[attr-defined]
    vars(inner).pop("_messages", None)  # what there is to say is said on the next real page
    return inner


def _render_mail(request: HttpRequest, customer: Customer, purpose_key: str, *, nothing: str) -> str:
    message = samples.write(customer, purpose_key)
    if message is None:
        return render_to_string(
            "storefront/account/no_mail.html", {"nothing": nothing, "mark": preview_html.PREVIEW_ID}
        )
    is_part = purpose_key == purposes.RECEIPT_OFFER
    said = nothing if is_part and not preview_html.has_own_section(message.html) else ""
    above = format_html(_SUBJECT, message.subject) + (format_html(_NOTE, said) if said else "")
    nonce = str(getattr(request, "csp_nonce", ""))
    return preview_html.freeze_mail(message.html, nonce=nonce, above=above, is_part=is_part and not said)
