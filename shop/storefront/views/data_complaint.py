"""“Complain about your data”: for everybody, without a login. The same answer to whoever sends it."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models.complaint import LONGEST_COMPLAINT
from accounts.people.email_addresses import EmailAddressInput
from accounts.privacy import complaints
from accounts.privacy.complaints import ANSWER_PERIOD
from orders import rate_limits
from shop.storefront import data_controller

RECEIVED = (
    "We have received your complaint, and a mail that says so is on its way to {email}. We answer by {day} at the "
    "latest. If nothing comes within the hour, look at the address again and send it once more."
)


class DataComplaintForm(forms.Form):
    full_name = forms.CharField(
        label="Your name",
        max_length=80,
        error_messages={"required": "Please give your name."},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = EmailAddressInput(
        help_text="We acknowledge at once, and answer there.",
        error_messages={"required": "Please give an e-mail address: our answer goes there."},
        max_length=254,
    )
    words = forms.CharField(
        label="What is wrong?",
        max_length=LONGEST_COMPLAINT,
        help_text="What we did with data about you, or did not do, and what you want us to do about it.",
        error_messages={"required": "Please say what is wrong, in a sentence or two."},
        widget=forms.Textarea(attrs={"rows": 6}),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def data_complaint(request: HttpRequest) -> HttpResponse:
    form = DataComplaintForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if _is_too_much(request):
            return render(request, "429.html", status=429)
        made = complaints.file_complaint(**form.cleaned_data)
        day = date_format(made.due_on, "j F Y")
        messages.success(request, RECEIVED.format(email=made.email, day=day))
        return redirect("data_complaint")
    context = {"form": form, "answer_period": ANSWER_PERIOD, "controller": data_controller.get_controller()}
    return render(request, "storefront/data_complaint.html", context)


def _is_too_much(request: HttpRequest) -> bool:
    most = settings.DATA_COMPLAINTS_PER_MINUTE
    return not rate_limits.is_within_rate_limit(request, "data_complaint", most_per_minute=most)
