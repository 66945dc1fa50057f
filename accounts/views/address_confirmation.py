"""The mailed link that proves an address. Opening it changes nothing; what the button does depends on who presses it.

The browser that asked only confirms. Another one shows that it may: by the password given at sign-up, or by choosing
one there, since the link came to the mailbox; an account that changes its address is signed in to first.
"""

from enum import StrEnum

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.email_verification import verify_email_and_resume
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.stages import EmailVerificationStage, LoginStageController
from allauth.account.utils import perform_login
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.people import address_claims

WRONG_PASSWORD = "That is not the password given at sign-up. If you do not know it, choose one below."  # noqa: S105


class ConfirmationWay(StrEnum):
    """What stands between a link and its address."""

    BUTTON = "button"
    PASSWORD = "password"  # noqa: S105  (a way, not a secret)
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    TAKEN = "taken"


class GivenPasswordForm(forms.Form):
    """The password given where somebody signed up."""

    password = allauth_forms.PasswordField(label="Password", autocomplete="current-password")

    def __init__(self, *args: object, address: EmailAddress, request: HttpRequest, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.address, self.request = address, request
        self.fields["password"].widget.attrs.pop("placeholder", None)

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        user = get_adapter(self.request).authenticate(self.request, email=self.address.email, password=password)
        if user is None or user.pk != self.address.user_id:
            raise ValidationError(WRONG_PASSWORD)
        return password

    def save(self) -> None:
        """Nothing: the password stays as it is."""


class ChosenPasswordForm(forms.Form):
    """A password of one's own, for whoever reads the mail and did not sign up, or forgot with which."""

    new_password = allauth_forms.PasswordField(label="New password", autocomplete="new-password")

    def __init__(self, *args: object, address: EmailAddress, request: HttpRequest, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.address = address
        self.fields["new_password"].widget.attrs.pop("placeholder", None)

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        validate_password(password, self.address.user)
        return password

    def save(self) -> None:
        user = self.address.user
        user.set_password(self.cleaned_data["new_password"])
        user.save(update_fields=["password"])


PasswordForm = GivenPasswordForm | ChosenPasswordForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_address(request: HttpRequest, key: str) -> HttpResponse:
    confirmation = EmailConfirmationHMAC.from_key(key)
    if confirmation is None:
        return _render_dead_link(request)
    address = confirmation.email_address
    way = _find_confirmation_way(request, address)
    if request.method != "POST":
        return _render_confirmation(request, address, way)
    if way == ConfirmationWay.BUTTON:
        return _verify_and_resume(request, confirmation)
    if way != ConfirmationWay.PASSWORD:
        return _render_confirmation(request, address, way, status=403)
    kind = ChosenPasswordForm if "new_password" in request.POST else GivenPasswordForm
    form: PasswordForm = kind(request.POST, address=address, request=request)
    if not form.is_valid():
        return _render_confirmation(request, address, way, form=form)
    form.save()
    return _confirm_and_sign_in(request, confirmation)


def _render_dead_link(request: HttpRequest) -> HttpResponse:
    return render(request, "account/email_confirm.html", {"period": address_claims.CLAIM_RETENTION}, status=404)


def _find_confirmation_way(request: HttpRequest, address: EmailAddress) -> ConfirmationWay:
    if address_claims.is_taken(address.email, besides=address.user):
        return ConfirmationWay.TAKEN
    if request.user.is_authenticated:
        return ConfirmationWay.BUTTON if request.user.pk == address.user_id else ConfirmationWay.SIGN_OUT
    if not address_claims.is_sign_up(address):
        return ConfirmationWay.SIGN_IN
    return ConfirmationWay.BUTTON if _has_signed_up_here(request, address.user) else ConfirmationWay.PASSWORD


def _has_signed_up_here(request: HttpRequest, user: User) -> bool:
    """Whether this browser gave the password, at sign-up or since, and waits for the address to be proved."""
    stage = LoginStageController.enter(request, EmailVerificationStage.key)
    return stage is not None and stage.login.user == user


def _render_confirmation(
    request: HttpRequest,
    address: EmailAddress,
    way: ConfirmationWay,
    *,
    form: PasswordForm | None = None,
    status: int = 200,
) -> HttpResponse:
    given = form if isinstance(form, GivenPasswordForm) else GivenPasswordForm(address=address, request=request)
    chosen = form if isinstance(form, ChosenPasswordForm) else ChosenPasswordForm(address=address, request=request)
    context = {
        "address": address,
        "account": "" if address_claims.is_sign_up(address) else address.user.email,
        "way": way.value,
        "given": given,
        "chosen": chosen,
    }
    return render(request, "account/email_confirm.html", context, status=status)


def _verify_and_resume(request: HttpRequest, confirmation: EmailConfirmationHMAC) -> HttpResponse:
    address, signed_in = verify_email_and_resume(request, confirmation)
    if address is None:
        return _render_dead_link(request)
    return signed_in or redirect("account_email")


def _confirm_and_sign_in(request: HttpRequest, confirmation: EmailConfirmationHMAC) -> HttpResponse:
    address = confirmation.confirm(request)
    if address is None:
        return _render_dead_link(request)
    record_authentication(request, address.user, method="password", email=address.email)
    answer: HttpResponse = perform_login(request, address.user, email=address.email)
    return answer
