"""Asking to be forgotten: what goes, what must stay and why, now or later; and undoing it."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import Customer, Erasure
from accounts.people.auth import customer_required, has_login
from accounts.privacy import erasure
from shop import personal_data

CONFIRMATION_WORD = "erase"
NOW, LATER = "now", "later"


class ErasureForm(forms.Form):
    when = forms.ChoiceField(
        label="When?",
        choices=[
            (LATER, f"In {erasure.COOLING_OFF}; until then one click undoes it"),
            (NOW, "Now; once it has begun it cannot be undone"),
        ],
        initial=LATER,
        widget=forms.RadioSelect,
    )
    word = forms.CharField(
        label=f"Type the word “{CONFIRMATION_WORD}”",
        help_text="So that nobody does this by a slip of the finger.",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def clean_word(self) -> str:
        word: str = self.cleaned_data["word"]
        if word.strip().lower() != CONFIRMATION_WORD:
            raise ValidationError(f"That is not the word. Type “{CONFIRMATION_WORD}”, or go back and nothing happens.")
        return word


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
@reauthentication_required(enabled=has_login)  # type: ignore[untyped-decorator]
def ask_for_erasure(request: HttpRequest, customer: Customer) -> HttpResponse:
    standing = erasure.find_open_erasure(customer)
    if standing is not None:
        return redirect("erasure", erasure.make_erasure_token(standing))
    form = ErasureForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = erasure.request_erasure(customer, at_once=form.cleaned_data["when"] == NOW)
        except erasure.CannotErase as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("erasure", erasure.make_erasure_token(made))
    kept = [(holding.title, holding.kept) for holding in personal_data.get_holdings() if holding.kept]
    goes = [
        holding.title for holding in personal_data.get_holdings() if holding.erase is not personal_data.erase_nothing
    ]
    context = {"form": form, "kept": kept, "goes": goes, "waits_for": erasure.find_erasure_obstacles(customer)}
    return render(request, "storefront/account/erase.html", context, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def erasure_page(request: HttpRequest, token: str) -> HttpResponse:
    """How it stands, for whoever has the link; POST undoes it. Opening it changes nothing."""
    found = erasure.find_erasure_by_token(token)
    if found is None:
        raise Http404
    if request.method == "POST":
        return _undo_erasure(request, found, token)
    is_later = found.due_at > timezone.now()
    is_waiting = found.customer is not None and found.state == Erasure.State.SCHEDULED and not is_later
    context: dict[str, Any] = {
        "erasure": found,
        "url": reverse("erasure", args=[token]),
        "waits_for": erasure.find_erasure_obstacles(found.customer) if found.customer and is_waiting else [],
        "cooling_off": is_later,
    }
    template = "partials/erasure_state.html" if request.headers.get("HX-Request") else "storefront/erasure.html"
    return render(request, template, context)


def _undo_erasure(request: HttpRequest, found: Erasure, token: str) -> HttpResponse:
    if erasure.cancel_erasure(found):
        messages.success(request, "Undone. Everything is as it was.")
    elif found.state != Erasure.State.UNDONE:
        messages.warning(request, "It had begun already, and cannot be undone any more.")
    return redirect("erasure", token)
