"""“What I told you”: what customers say about themselves, what it did for them, and taking it back."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.consent import consent, purposes
from accounts.consent.purposes import Purpose
from accounts.models import Customer, Interest
from accounts.people.auth import customer_required
from accounts.preferences import interests
from accounts.preferences.interest_forms import INTEREST_FORMS, InterestForm, build_initial_fields
from accounts.preferences.switches import Switch, make_switch
from notifications.personal_data import withdraw_waiting_picks
from notifications.receipt_offers import find_sent_offers
from recommendations import explanations, sizes
from shop.catalog.models import Maker, Product, Variant
from shop.storefront import page_cache

Kind = Interest.Kind
REMOVED_KEY = "told_removed"  # in the session until the page is next shown, so that it can be put back
MOST_SUGGESTED = 300
LIMIT_REACHED = "That is as much as we keep. Delete something first."
KIND_MEANINGS = {
    Kind.MAKER: ("maker", "Their things come first on your “For you” shelf."),
    Kind.CATEGORY: ("department", "What sells well there comes first on your “For you” shelf."),
    Kind.NEED: ("need", "What matches your words comes first on your “For you” shelf."),
    Kind.SIZE: ("size", "It is chosen for you on a product’s page, and what comes in it goes first."),
    Kind.NOT_SIZE: ("size that is not yours", "Never guessed from what you bought."),
    Kind.OCCASION: ("day", "Only your own note for now: nothing else reads it. It goes the day after."),
    Kind.NEVER: ("thing to hide", "Left out of every shelf, letter and offer we make for you. No switch needed."),
}


@dataclass(frozen=True)
class InterestRow:
    """One thing told, with what it lately did."""

    interest: Interest
    effects: list[str]


@dataclass(frozen=True)
class InterestSection:
    """All things told of one kind, and the form to tell another."""

    kind: Interest.Kind
    meaning: str
    one: str
    rows: list[InterestRow]
    form: InterestForm

    @property
    def title(self) -> str:
        return str(self.kind.label)

    @property
    def is_open(self) -> bool:
        return self.form.is_bound


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def customer_interests(request: HttpRequest, customer: Customer) -> HttpResponse:
    form = _bind_interest_form(request) if request.method == "POST" else None
    if form is not None and form.is_valid() and _try_save_interest(request, customer, form):
        return redirect("told")
    return render(request, "storefront/account/told.html", _build_interests_context(request, customer, form))


def _bind_interest_form(request: HttpRequest) -> InterestForm:
    kind = request.POST.get("kind", "")
    if kind not in INTEREST_FORMS:
        raise Http404
    return INTEREST_FORMS[kind](request.POST, tree=page_cache.get_cached_tree(), prefix=kind)


def _try_save_interest(request: HttpRequest, customer: Customer, form: InterestForm) -> bool:
    try:
        kept = interests.save_interest(customer, form.told())
    except interests.TooManyInterests:
        form.add_error(None, LIMIT_REACHED)
        return False
    _notify_saved(request, customer, kept)
    return True


def _notify_saved(request: HttpRequest, customer: Customer, kept: Interest) -> None:
    if kept.kind == Kind.NOT_SIZE:
        withdraw_waiting_picks(customer, purposes.RECOMMEND_FROM_TOLD)  # it may have been told as theirs before
        messages.success(request, f"Saved as not yours, and guessed no more: {kept.title}.")
        return
    is_waiting = kept.is_for_suggestions and not consent.allows(customer, purposes.RECOMMEND_FROM_TOLD)
    messages.success(request, f"Saved: {kept.title}.{' Nothing uses it until you turn on the switch.' * is_waiting}")


def _build_interests_context(request: HttpRequest, customer: Customer, posted: InterestForm | None) -> dict[str, Any]:
    rows = _get_unexpired_interests(customer)
    did = explanations.get_interest_effects(customer)
    sections = [_make_section(kind, rows, did, posted) for kind in Kind]
    return {
        "sections": [each for each in sections if each.rows or each.is_open or each.kind != Kind.NOT_SIZE],
        "is_empty": not rows,
        "guesses": sizes.guess_sizes(customer, rows, page_cache.get_cached_tree()),
        "may_guess": consent.allows(customer, purposes.GUESS_SIZES),
        "guessing": _find_unanswered_purpose(customer, purposes.GUESS_SIZES),
        "switch": _read_interests_switch(customer),
        "observed": explanations.explain_observed_data(customer),
        "offers": find_sent_offers(customer, since=timezone.now() - purposes.LOOKS_RETENTION),
        "looks_retention": purposes.LOOKS_RETENTION,
        "removed": _pop_removed_interest(request),
        **_get_suggestions(),
    }


def _find_unanswered_purpose(customer: Customer, key: str) -> Purpose | None:
    """A purpose that may be pointed at: the customer has never answered it, and has not turned all of it off."""
    is_open = consent.is_master_on(customer) and not customer.consents.filter(purpose=key).exists()
    return purposes.get_purpose(key) if is_open else None


def _get_unexpired_interests(customer: Customer) -> list[Interest]:
    return list(customer.interests.standing().select_related("maker", "category", "product"))


def _get_suggestions() -> dict[str, Any]:
    """What the shop has, for the fields where it can be typed."""
    sold = Variant.objects.sellable().exclude(size="").order_by("size")
    return {
        "makers": Maker.objects.values_list("name", flat=True)[:MOST_SUGGESTED],
        "needs": _find_common_tags(),
        "sizes": sold.values_list("size", flat=True).distinct()[:MOST_SUGGESTED],
    }


def _make_section(
    kind: Kind, rows: list[Interest], did: dict[int, list[str]], posted: InterestForm | None
) -> InterestSection:
    one, meaning = KIND_MEANINGS[kind]
    form = (
        posted
        if posted is not None and posted.kind == kind
        else INTEREST_FORMS[kind](tree=page_cache.get_cached_tree(), prefix=kind)
    )
    found = [InterestRow(row, did.get(row.pk, [])) for row in rows if row.kind == kind]
    return InterestSection(kind, meaning, one, found, form)


def _read_interests_switch(customer: Customer) -> Switch:
    purpose = purposes.get_purpose(purposes.RECOMMEND_FROM_TOLD)
    return make_switch(purpose, customer.consents.filter(purpose=purpose.key).first())


def _find_common_tags() -> list[str]:
    """What the shop calls its own things, the commonest first: words that find something."""
    tagged = Product.objects.published().values_list("tags", flat=True).exclude(tags=[])[:2000]
    counts: dict[str, int] = {}
    for tags in tagged:
        for tag in tags:
            counts[tag] = counts.get(tag, 0) + 1
    return sorted(counts, key=lambda tag: (-counts[tag], tag))[:MOST_SUGGESTED]


def _pop_removed_interest(request: HttpRequest) -> dict[str, Any] | None:
    """What was just deleted, as the form that puts it back. Shown once; then we have it no more."""
    if request.method != "GET" or REMOVED_KEY not in request.session:
        return None
    removed: dict[str, Any] = request.session.pop(REMOVED_KEY)
    return removed


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def change_interest(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    found = get_object_or_404(customer.interests.standing().select_related("maker", "category", "product"), pk=pk)
    form = INTEREST_FORMS[found.kind](
        request.POST or None, instance=found, tree=page_cache.get_cached_tree(), prefix=found.kind
    )
    if request.method == "POST" and form.is_valid() and _try_save_interest(request, customer, form):
        _withdraw_from_waiting_mail(customer, found)
        return redirect("told")
    context = {"form": form, "title": found.title, **_get_suggestions()}
    return render(request, "storefront/account/told_change.html", context)


@require_POST
@customer_required
def remove_interest(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    found = get_object_or_404(customer.interests.select_related("maker", "category", "product"), pk=pk)
    fields = {f"{found.kind}-{name}": value for name, value in build_initial_fields(found).items() if name != "kind"}
    request.session[REMOVED_KEY] = {"kind": found.kind, "title": found.title, "fields": list(fields.items())}
    found.delete()
    _withdraw_from_waiting_mail(customer, found)
    return redirect("told")


def _withdraw_from_waiting_mail(customer: Customer, interest: Interest) -> None:
    """What waits to be sent may rest on what was just deleted or changed."""
    if interest.is_for_suggestions:
        withdraw_waiting_picks(customer, purposes.RECOMMEND_FROM_TOLD)


@require_POST
@customer_required
def answer_size_guess(request: HttpRequest, customer: Customer) -> HttpResponse:
    """“Yes, that is my size”, or “Not my size”: either way it is told now, and guessed no more."""
    kind, key = Kind.SIZE, request.POST.get("mine", "")
    if not key:
        kind, key = Kind.NOT_SIZE, request.POST.get("not_mine", "")
    guess = next(
        (
            each
            for each in sizes.guess_sizes(customer, _get_unexpired_interests(customer), page_cache.get_cached_tree())
            if each.key == key
        ),
        None,
    )
    if guess is None:
        messages.info(request, "That guess is gone: it was answered, or what it stood on may no longer be used.")
        return redirect("told")
    try:
        _notify_saved(request, customer, interests.save_interest(customer, guess.to_interest(kind)))
    except interests.TooManyInterests:
        messages.error(request, LIMIT_REACHED)
    return redirect("told")


@require_POST
@customer_required
def never_show(request: HttpRequest, customer: Customer) -> HttpResponse:
    """“Never show me this”, beside a thing we put forward."""
    number = request.POST.get("product", "")
    product = get_object_or_404(Product, pk=number if number.isdecimal() and len(number) < 19 else 0)
    try:
        interests.save_interest(customer, Interest(kind=Kind.NEVER, product=product))
    except interests.TooManyInterests:
        messages.error(request, LIMIT_REACHED)
    else:
        messages.success(request, f"We will not put {product.title} forward again.")
    return redirect("recommendations")
