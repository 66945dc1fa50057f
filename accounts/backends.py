from allauth.account.auth_backends import AuthenticationBackend

from accounts.models import User


class CustomerBackend(AuthenticationBackend):
    """Logs in by e-mail, and reads the customer with the user in one query."""

    def get_user(self, user_id: int) -> User | None:
        user = User.objects.select_related("customer").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None
