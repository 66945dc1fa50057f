"""Allauth's forms in the shop's words: labels that say it, no placeholders that vanish."""

import uuid
from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import setup_user_email
from allauth.core import context, ratelimit
from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.people import address_claims
from accounts.people.email_addresses import EmailAddressInput

TOO_MANY_MAILS = "We have just mailed that address. Please look there, or try again in a few minutes."
LABELS = {"email": "E-mail", "login": "E-mail", "oldpassword": "Password now"}
HELP = {
    "password": "",  # allauth puts a link here, between the two fields; the page has it below them
    "password1": "At least 10 characters. A few words in a row make a good one.",
}


class ShopWordingMixin(forms.BaseForm):
    """Mixed into a form of allauth's after it has made its fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in [name for name, field in self.fields.items() if isinstance(field, forms.EmailField)]:
            self.fields[name] = EmailAddressInput(widget=self.fields[name].widget)
        for name, field in self.fields.items():
            field.label = LABELS.get(name, str(field.label or "").capitalize())
            field.help_text = HELP.get(name, field.help_text)
            field.widget.attrs.pop("placeholder", None)


BRING_ALONG = "bring_along"  # a tick on the sign-in form; in the session: the login that ticked it


class LoginForm(ShopWordingMixin, allauth_forms.LoginForm):
    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponse:
        """What was ticked here waits in the session until they are in: a second factor may be asked for first."""
        request.session.pop(BRING_ALONG, None)
        if BRING_ALONG in request.POST:
            request.session[BRING_ALONG] = self.user.pk
        answer: HttpResponse = super().login(request, redirect_url)
        return answer


class SignupForm(ShopWordingMixin, allauth_forms.SignupForm):
    """Signing up starts afresh: whoever claimed the address before, and never proved it, claims it no more."""

    def validate_unique_email(self, value: str) -> str:
        """A claim is no account. Whether there is one shows in the mail alone."""
        if not may_confirm_by_mail(context.request, value):
            raise ValidationError(TOO_MANY_MAILS)
        self.account_already_exists = address_claims.is_taken(value)
        return value

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """The new login, or the answer for an address that has an account: the same words after the same work."""
        if self.account_already_exists:
            pretend_to_sign_up(request, self.cleaned_data["password1"])
        try:
            saved: tuple[User | None, HttpResponse | None] = super().try_save(request)
        except IntegrityError:  # somebody signed up with it between our look and our try
            saved = super().try_save(request)
        return saved

    def save(self, request: HttpRequest) -> User:
        with transaction.atomic():
            address_claims.end_claims(self.cleaned_data["email"])
            user: User = super().save(request)
        record_authentication(request, user, method="password")  # they have just given it
        return user


class AddEmailForm(ShopWordingMixin, allauth_forms.AddEmailForm):
    """An address of one's own; whoever else claims it goes on claiming it until one of them proves it."""

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if email == self.user.email:
            raise get_adapter().validation_error("duplicate_email")
        if not may_confirm_by_mail(context.request, email):
            raise ValidationError(TOO_MANY_MAILS)
        return email


class ResetPasswordForm(ShopWordingMixin, allauth_forms.ResetPasswordForm):
    def clean_email(self) -> str:
        """An account is reset by the address it is known by, never by one it only claims."""
        email: str = self.cleaned_data["email"]
        self.users = list(User.objects.filter(email=email, is_active=True))
        return email


def pretend_to_sign_up(request: HttpRequest, password: str) -> None:
    """The work of a new login, undone: how long an answer takes tells nobody whether there is an account."""
    nobody = f"{uuid.uuid4().hex}@example.com"
    address_claims.is_taken(nobody)  # which took one look of three for the address that is
    with transaction.atomic():
        address_claims.end_claims(nobody)
        user = User.objects.create_user(nobody, password)
        setup_user_email(request, user, [])
        transaction.set_rollback(True)


def may_confirm_by_mail(request: HttpRequest, email: str) -> bool:
    """Whether the address may be mailed a link to confirm it just now; nobody's mailbox is filled by us."""
    return bool(ratelimit.consume(request, action="confirm_email", key=email, dry_run=True))


class ResetPasswordKeyForm(ShopWordingMixin, allauth_forms.ResetPasswordKeyForm):
    pass


class ChangePasswordForm(ShopWordingMixin, allauth_forms.ChangePasswordForm):
    pass


class ReauthenticateForm(ShopWordingMixin, allauth_forms.ReauthenticateForm):
    pass
