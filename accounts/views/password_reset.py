"""The mailed link to choose a new password. allauth's own page would sign out whoever opens it."""

from allauth.account.views import PasswordResetFromKeyView


class ChoosePasswordView(PasswordResetFromKeyView):
    """Opening it changes nothing; saving the new password signs out another account that is signed in here."""

    def logout(self) -> None:
        if self.request.method == "POST":
            super().logout()
