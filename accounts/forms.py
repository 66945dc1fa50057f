"""Allauth's forms in the shop's words: labels that say it, no placeholders that vanish."""

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms

from accounts.email_addresses import EmailAddressInput

LABELS = {"email": "E-mail", "login": "E-mail", "oldpassword": "Password now"}
HELP = {
    "password": "",  # allauth puts a link here, between the two fields; the page has it below them
    "password1": "At least 10 characters. A few words in a row make a good one.",
}


class InOurWords(forms.BaseForm):
    """Mixed into a form of allauth's after it has made its fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in [name for name, field in self.fields.items() if isinstance(field, forms.EmailField)]:
            self.fields[name] = EmailAddressInput(widget=self.fields[name].widget)
        for name, field in self.fields.items():
            field.label = LABELS.get(name, str(field.label or "").capitalize())
            field.help_text = HELP.get(name, field.help_text)
            field.widget.attrs.pop("placeholder", None)


class LoginForm(InOurWords, allauth_forms.LoginForm):
    pass


class SignupForm(InOurWords, allauth_forms.SignupForm):
    pass


class AddEmailForm(InOurWords, allauth_forms.AddEmailForm):
    pass


class ResetPasswordForm(InOurWords, allauth_forms.ResetPasswordForm):
    pass


class ResetPasswordKeyForm(InOurWords, allauth_forms.ResetPasswordKeyForm):
    pass


class ChangePasswordForm(InOurWords, allauth_forms.ChangePasswordForm):
    pass


class ReauthenticateForm(InOurWords, allauth_forms.ReauthenticateForm):
    pass
