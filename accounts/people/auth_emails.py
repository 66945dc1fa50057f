"""The letters of sign-in: what somebody waits for at the screen, and notices about the account's safety.

Keyed by the names allauth gives its mails, and by two of our own.
`link` names the entry of allauth's context that the button goes to. In the paragraphs, {email} is the address written
to, and {account} the address by which its account is known so far.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class AuthEmail:
    subject: str
    paragraphs: tuple[str, ...]
    button: str = ""
    link: str = ""

    def fill_in(self, *, email: str, account: str) -> "AuthEmail":
        """The letter to one reader."""
        return replace(self, paragraphs=tuple(text.format(email=email, account=account) for text in self.paragraphs))


FRESH_LINK = "shop/email/fresh_link"
SIGN_IN_INSTEAD = "shop/email/sign_in_instead"
CONFIRM_SIGN_UP = "account/email/email_confirmation_signup"
CONFIRM_CHANGE = "account/email/email_confirmation"

_NOT_YOU = "If this was not you, reset your password now and write to us: somebody may be in your account."


def _make_security_notice(subject: str, sentence: str) -> AuthEmail:
    return AuthEmail(subject, (sentence, _NOT_YOU))


AUTH_EMAILS: dict[str, AuthEmail] = {
    FRESH_LINK: AuthEmail(
        "Your link to what we hold about this address",
        (
            "Open the link below to see and change all we hold about this address. It works once, within 15 minutes.",
            "If you did not ask for this, do nothing: nobody but you can read this mail, and nothing was opened.",
        ),
        "Show me",
        "url",
    ),
    SIGN_IN_INSTEAD: AuthEmail(
        "Sign in to see what we hold about you",
        (
            "Somebody, perhaps you, asked to see what we hold about this address.",
            "It has an account with us, so signing in is the way to it.",
            "If you did not ask for this, do nothing: nothing was opened.",
        ),
        "Sign in",
        "url",
    ),
    CONFIRM_SIGN_UP: AuthEmail(
        "Confirm your e-mail address",
        (
            "Somebody, perhaps you, signed up with {email}. The link below leads to a page where you confirm that.",
            "From then on {email} opens an account of its own, and orders placed with it show there.",
            "In another browser than the one used to sign up, we ask for the password, or you choose one there.",
            "If you did not sign up, do nothing: no account opens, and nobody sees anything of yours.",
        ),
        "Confirm this address",
        "activate_url",
    ),
    CONFIRM_CHANGE: AuthEmail(
        "Confirm your new e-mail address",
        (
            "The account of {account} asked to be known by {email} instead.",
            "If that account is yours, open the link below, and confirm on the page it opens, signed in to it.",
            "From then on all mail goes here, and orders placed with {email} show in that account.",
            "If it is not yours, do nothing: without you, nobody joins this address to anything.",
        ),
        "Confirm this address",
        "activate_url",
    ),
    "account/email/password_reset_key": AuthEmail(
        "Choose a new password",
        (
            "Open the link below and choose a new password.",
            "If you did not ask for this, do nothing: the old one stays.",
        ),
        "Choose a new password",
        "password_reset_url",
    ),
    "account/email/unknown_account": AuthEmail(
        "There is no account for this address",
        (
            "Somebody, perhaps you, asked to reset the password for this address. It has no account with us.",
            "You can sign up with it, or look for a mail of ours at another address of yours.",
        ),
        "Sign up",
        "signup_url",
    ),
    "account/email/account_already_exists": AuthEmail(
        "You have an account already",
        (
            "Somebody, perhaps you, tried to sign up with this address. It has an account with us already.",
            "If you forgot the password, choose a new one.",
        ),
        "Choose a new password",
        "password_reset_url",
    ),
    "account/email/password_changed": _make_security_notice(
        "Your password was changed", "Your password was changed just now."
    ),
    "account/email/password_reset": _make_security_notice(
        "Your password was changed", "A new password was chosen just now."
    ),
    "account/email/password_set": _make_security_notice(
        "Your password was set", "A password was set for your account just now."
    ),
    "account/email/email_changed": _make_security_notice(
        "Your e-mail address was changed", "Your account has a new address."
    ),
    "account/email/email_confirm": _make_security_notice(
        "An e-mail address was confirmed", "An address was confirmed just now."
    ),
    "account/email/email_deleted": _make_security_notice(
        "An e-mail address was removed", "An address was removed just now."
    ),
    "mfa/email/totp_activated": _make_security_notice(
        "Two-step sign-in is on", "An authenticator app was added just now."
    ),
    "mfa/email/totp_deactivated": _make_security_notice(
        "Two-step sign-in is off", "The authenticator app was removed just now."
    ),
    "mfa/email/recovery_codes_generated": _make_security_notice(
        "New recovery codes", "A new set of recovery codes was made."
    ),
    "mfa/email/webauthn_added": _make_security_notice(
        "A passkey was added", "A passkey was added to your account just now."
    ),
    "mfa/email/webauthn_removed": _make_security_notice("A passkey was removed", "A passkey was removed just now."),
}
