"""The shop as it would be after an answer, at the customer's own request: the real page or mail, with nothing written.

The page's own view runs on a copy of the visit, as if the customer had answered so
(`accounts.consent.overlay_answers`), in a transaction in which the database refuses to write, and which is rolled
back. A new switch says here where it shows.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.sessions.backends.base import SessionBase
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.urls import resolve, reverse
from django.utils.html import format_html
from django_htmx.middleware import HtmxDetails

from accounts import cadence, consent, purposes
from accounts.models import Customer
from notifications import samples
from recommendations import picks, visitors
from shop.catalog.models import Product
from shop.storefront import still

_LINE = '<p class="muted" style="margin:0;padding:14px 16px 0;font:14px/1.5 system-ui,sans-serif;color:#655b50">'
_SUBJECT = f"{_LINE}Subject: <strong>{{}}</strong></p>"
_SAID = f"{_LINE}{{}}</p>"
NOBODY = 0  # whom an overlay is for that only turns the recorders off


@dataclass(frozen=True)
class Sight:
    """Where a switch shows. `where` names it; `url` is its page for this customer, None for a mail.

    `off` and `on` are said in place of what a switch shows, where there is nothing to show. `note` is said above both
    sides: why they may look alike.
    """

    where: str
    url: Callable[[Customer], str] | None = None
    off: str = "Nothing stands here while it is off."
    on: str = "Nothing to show yet."
    note: Callable[[Customer], str] = lambda customer: ""


def _front_page(customer: Customer) -> str:
    return reverse("home")


def _told_page(customer: Customer) -> str:
    return reverse("told")


def _helped_product(customer: Customer) -> str:
    """Where the customer's own purchases count; else the page of what they bought last; else of what sells well."""
    product_id = picks.helped_by(customer) or _bought_last(customer) or _sold_most()
    product = Product.objects.published().filter(pk=product_id).first() if product_id else None
    return product.get_absolute_url() if product else reverse("home")


def _bought_last(customer: Customer) -> int | None:
    lines = customer.orders.filter(lines__is_gift=False, lines__is_excluded=False, lines__product__is_published=True)
    return lines.order_by("-placed_at", "-pk").values_list("lines__product", flat=True).first()


def _sold_most() -> int | None:
    return next((pick.product_id for pick in picks.popular(limit=1)), None)


def _counts_later(customer: Customer) -> str:
    if picks.helped_by(customer):
        return ""
    if _bought_last(customer):
        return (
            "Both sides look alike for now. The shelves are worked out a few times a day; what you bought counts from "
            "the next time on, if you let it."
        )
    return "Both sides look alike: you have bought nothing yet that could count."


def _made_up(key: str) -> Callable[[Customer], str]:
    def note(customer: Customer) -> str:
        made_up = "You have no order with us yet, so the mail tells of a made-up one."
        return made_up if samples.is_made_up(customer, key) else ""

    return note


_ALIKE = "Both sides look alike just now: there is nothing of yours yet that this switch would add or take away."
_NO_SHELF = "This product has no shelf beside it yet."
_NOTHING_TO_SAY = "On, and still no mail would come: there is nothing to put into it."
_MAILS = {
    key: Sight("The mail", off="Off: no mail would come.", on=_NOTHING_TO_SAY, note=_made_up(key))
    for key in samples.SHOWN_IN
}
SIGHTS: Mapping[str, Sight] = _MAILS | {
    purposes.RECEIPT_OFFER: Sight(
        "The receipt",
        off="Off: the receipt comes without an offer.",
        on="On, and still no offer: nothing on our shelves goes with this order.",
        note=_made_up(purposes.RECEIPT_OFFER),
    ),
    purposes.MAIL_RECOMMENDATIONS: Sight(
        "The mail",
        off="Off: no mail would come.",
        on="On, and still no letter would come this week: fewer than three things are worth sending you.",
    ),
    purposes.RECOMMEND_FROM_TOLD: Sight(
        "The front page",
        _front_page,
        off="Off: no “For you” shelf stands here.",
        on="On, and nothing to show yet: you have told us nothing that we have goods for.",
    ),
    purposes.RECOMMEND_FROM_PURCHASES: Sight(
        "The front page",
        _front_page,
        off="Off: no “For you” shelf stands here.",
        on="On, and nothing to show yet: there is no purchase of yours to start from, or nothing that goes with it.",
    ),
    purposes.RECOMMEND_FROM_BROWSING: Sight(
        "The front page",
        _front_page,
        off="Off: no “For you” shelf stands here.",
        on="On, and nothing to show yet: it starts with the next product you open.",
    ),
    purposes.GUESS_SIZES: Sight("The page “What I told you”", _told_page, off="Off: no size is guessed."),
    purposes.COUNT_IN_ALSO_BOUGHT: Sight(
        "A product’s page", _helped_product, off=_NO_SHELF, on=_NO_SHELF, note=_counts_later
    ),
    purposes.PERSONAL_SHOPPER.key: Sight(
        "The front page",
        _front_page,
        off="Off: no “For you” shelf stands here, whatever your single switches say.",
        on="On, and nothing to show: no switch that suggests things is on, or we have nothing to start from.",
    ),
}


VISITORS = Sight(
    "The front page",
    off="Off: no shelf stands here, and nothing is remembered.",
    on="On, and nothing to show yet: it starts with the next product you open.",
)


def sight(purpose_key: str) -> Sight:
    """Where the switch shows; the front page for one that names no place."""
    return SIGHTS.get(purpose_key, Sight("The front page", _front_page))


def notes(request: HttpRequest, customer: Customer, purpose_key: str) -> list[str]:
    """What to know before looking: why both sides may look alike, or that a sample is made up."""
    said = [sight(purpose_key).note(customer), _gathered(customer, purpose_key)]
    if purpose_key in purposes.UNDER_MASTER and not consent.is_master_on(customer):
        said.append(
            "Both sides look alike for now: you turned the whole personal shopper off, and this rests until you "
            "turn it on again."
        )
    said = [each for each in said if each]
    return said or ([_ALIKE] if _is_alike(request, customer, purpose_key) else [])


def _is_alike(request: HttpRequest, customer: Customer, purpose_key: str) -> bool:
    """Whether what stands there stands there either way, as when another switch brings the same."""
    if sight(purpose_key).url is None:
        return False
    off, on = (
        still.marked(
            picture(request, customer, purpose_key, granted=granted),
            consent.build_overlay_answers(customer, purpose_key, granted=granted),
        )
        for granted in (False, True)
    )
    return off == on != []


def _gathered(customer: Customer, purpose_key: str) -> str:
    """For news that the customer has in one letter."""
    if purpose_key not in samples.SHOWN_IN or not samples.is_gathered(customer, purpose_key):
        return ""
    often = cadence.get_cadence_label(purpose_key, cadence.get_cadence(customer, purpose_key)).lower()
    return f"You have such news {often}, together with what else has happened: it would be one piece of that mail."


def picture(request: HttpRequest, customer: Customer, purpose_key: str, *, granted: bool) -> str:
    """The HTML of one side. Whatever it would write, it fails rather than writes."""
    answers = consent.build_overlay_answers(customer, purpose_key, granted=granted)
    with reading_only(), consent.overlay_answers(customer.pk, answers):
        seen = sight(purpose_key)
        nothing = seen.on if granted else seen.off
        if seen.url is None:
            return _mail(request, customer, purpose_key, nothing=nothing)
        answer = visit(request, seen.url(customer))
    return still.page(answer.content.decode(), purposes=answers, nothing=nothing)


@contextmanager
def reading_only() -> Iterator[None]:
    """A transaction in which PostgreSQL refuses to write; rolled back at its end."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        try:
            yield
        finally:
            transaction.set_rollback(True)


class HeldSession(SessionBase):
    """A copy of a visit's session, for looking things up in. It cannot be saved."""

    def __init__(self, of: SessionBase) -> None:
        super().__init__(of.session_key)
        self._session_cache = copy.deepcopy(dict(of.items()))


def visitors_picture(request: HttpRequest, *, granted: bool) -> str:
    """The front page with a visitor's own switch on or off, which lives in their session and here in a copy of it."""
    inner = copy_of(request, reverse("home"))
    if not granted:
        inner.session.pop(visitors.KEY, None)
    with reading_only(), consent.overlay_answers(NOBODY, {}):
        if granted:
            visitors.turn_on(inner)
        answer = _answer(inner)
    nothing = VISITORS.on if granted else VISITORS.off
    return still.page(answer.content.decode(), purposes=[purposes.VISITOR_HISTORY.key], nothing=nothing)


def visit(request: HttpRequest, url: str) -> HttpResponse:
    """The answer of a page's own view, to a copy of this visit."""
    return _answer(copy_of(request, url))


def _answer(inner: HttpRequest) -> HttpResponse:
    match = resolve(inner.path)
    answer: HttpResponse = match.func(inner, *match.args, **match.kwargs)
    return answer


def copy_of(request: HttpRequest, url: str) -> HttpRequest:
    """This visit asking for a page by GET: nothing done to it reaches the real one."""
    inner = copy.copy(request)
    inner.method, inner.path, inner.path_info = "GET", url, url
    inner.META = {**request.META, "REQUEST_METHOD": "GET", "PATH_INFO": url, "QUERY_STRING": ""}
    inner.GET, inner.POST = QueryDict(), QueryDict()
    inner.session = HeldSession(request.session)
    inner.resolver_match = resolve(url)
    inner.htmx = HtmxDetails(inner)  # type: ignore[attr-defined]
    inner.is_preview = True  # type: ignore[attr-defined]
    vars(inner).pop("_messages", None)  # what there is to say is said on the next real page
    return inner


def _mail(request: HttpRequest, customer: Customer, purpose_key: str, *, nothing: str) -> str:
    message = samples.write(customer, purpose_key)
    if message is None:
        return render_to_string("storefront/account/no_mail.html", {"nothing": nothing, "mark": still.MARK})
    is_part = purpose_key == purposes.RECEIPT_OFFER
    said = nothing if is_part and not still.has_part(message.html) else ""
    above = format_html(_SUBJECT, message.subject) + (format_html(_SAID, said) if said else "")
    nonce = str(getattr(request, "csp_nonce", ""))
    return still.mail(message.html, nonce=nonce, above=above, is_part=is_part and not said)
