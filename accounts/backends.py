from typing import cast

from allauth.account.auth_backends import AuthenticationBackend

from accounts.models import User


class CustomerBackend(AuthenticationBackend):
    """Logs in by e-mail, and reads the customer with the user in one query."""

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        """By the address the account is known by, never by one it only claims. One look, and one hash, for each."""
        user = User.objects.filter(email=email).first()
        return cast("User | None", self._check_password(user, password))

    def get_user(self, user_id: int) -> User | None:
        user = User.objects.select_related("customer").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None
