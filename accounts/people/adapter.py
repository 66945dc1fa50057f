import logging
import time
from functools import partial
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.people import address_claims, guess_limits
from accounts.people.auth_emails import AUTH_EMAILS, CONFIRM_CHANGE, CONFIRM_SIGN_UP, AuthEmail
from accounts.people.customers import link_login
from accounts.people.devices import remember_device
from shop import mail
from shop.time_limits import Bulkhead, BulkheadFull, WaitTimedOut, get_current_patience

logger = logging.getLogger(__name__)
AUTHENTICATION_METHODS = ("password", "mfa")  # as allauth names what somebody showed to sign in

MAIL_BULKHEAD = Bulkhead("account mail", places=4, queue=100)
MAIL_SLOW = "Our mail server is slow just now. If the mail is not there in two minutes, please ask for it again."
MAIL_DOWN = "Our mail server is not answering. Please ask for the mail again in a minute."


class AccountAdapter(DefaultAccountAdapter):
    """Allauth's doors into the shop."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "That address and that password do not belong together.",
        "too_many_login_attempts": "That was too often in a row. Please wait a few minutes and try again.",
        "incorrect_password": "That is not your password.",
        "enter_current_password": "That is not your password now.",
        "same_as_current": "That is the one you have already.",
    }

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> Any:
        """Somebody proved an address: their login and the customer of that address become one."""
        with transaction.atomic():
            if not address_claims.lock_claim(email_address):
                return False
            address_claims.end_claims(email_address.email, besides=email_address.user)
            confirmed = super().confirm_email(request, email_address)
        if confirmed:
            link_login(email_address.user, email_address.email)
        return confirmed

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        self._counted = guess_limits.count_guess(request, credentials["email"])
        if self._counted is None:
            raise self.validation_error("too_many_login_attempts")

    def _rollback_login_failed_rl_usage(self) -> None:
        guess_limits.uncount_guess(self._counted or [])

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        guess_limits.clear_guesses(request, credentials["email"])

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Somebody is in: from now on guesses elsewhere do not lock this browser out."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        remember_device(request, response, user)
        return response

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whether the sign-in is older than a few minutes: nobody who finds a browser open changes what opens it."""
        records = get_authentication_records(self.request, self.request.user)
        latest = max((record["at"] for record in records if record["method"] in AUTHENTICATION_METHODS), default=0.0)
        return bool(time.time() - latest >= app_settings.REAUTHENTICATION_TIMEOUT)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Mail that somebody waits for: sent as soon as what it is about is committed."""
        letter = AUTH_EMAILS[template_prefix]
        url = build_site_url(context[letter.link]) if letter.link else ""
        known_as = context["user"].email if "user" in context else ""
        letter = letter.fill_in(email=email, account=known_as)
        transaction.on_commit(partial(self._send_or_warn, letter, email, url))

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Says whose account the address is to open, however the mail came to be asked for."""
        address = emailconfirmation.email_address
        letter = CONFIRM_SIGN_UP if address_claims.is_sign_up(address) else CONFIRM_CHANGE
        url = self.get_email_confirmation_url(request, emailconfirmation)
        self.send_mail(letter, address.email, {"user": address.user, "activate_url": url})

    def _send_or_warn(self, letter: AuthEmail, email: str, url: str) -> None:
        """The request waits for a quick mail server and not for a slow one, whose answer comes when it comes."""
        context = {"letter": letter, "subject": letter.subject, "url": url, "site_url": settings.SITE_URL}
        subject, text, html = mail.render_message("account", context)
        send = partial(
            mail.send_message, mail.Message(to=email, subject=subject, text=text, html=html, topic="account")
        )
        patience = get_current_patience()
        try:
            if patience is None:
                send()
            else:
                MAIL_BULKHEAD.run(send, patience)
        except BulkheadFull:
            logger.error("Too many mails about accounts wait for the mail server")  # noqa: TRY400  (it says all)
            messages.error(self.request, MAIL_DOWN)
        except WaitTimedOut:
            logger.warning("The mail server is slow with a mail about an account")
            messages.warning(self.request, MAIL_SLOW)
        except (OSError, SMTPException):
            logger.exception("The mail server did not take a mail about an account")
            messages.error(self.request, MAIL_DOWN)


def build_site_url(url: str) -> str:
    """The same page on SITE_URL, whatever host the request named."""
    parts = urlsplit(url)
    return f"{settings.SITE_URL}{parts.path}{f'?{parts.query}' if parts.query else ''}"
