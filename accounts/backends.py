from typing import Any, cast

from allauth.account.auth_backends import AuthenticationBackend
from django.db import DEFAULT_DB_ALIAS

from accounts.models import Customer, User
from shop.model_rows import list_columns
from shop.prepared import PreparedStatement

_USER, _CUSTOMER = list_columns(User), list_columns(Customer)
_COLUMNS = ", ".join([*(f"login.{name}" for name in _USER), *(f"customer.{name}" for name in _CUSTOMER)])
_HOME_FIELDS = 2
# In plain SQL, as each page of somebody signed in asks it.
_READ_USER = PreparedStatement(
    f"""
SELECT {_COLUMNS}, coalesce(home.country, ''), coalesce(home.postcode, '')
FROM accounts_user login LEFT JOIN accounts_customer customer ON customer.user_id = login.id
LEFT JOIN LATERAL (
    SELECT address.country, address.postcode FROM accounts_address address WHERE address.customer_id = customer.id
    ORDER BY address.is_default DESC, address.created_at DESC LIMIT 1
) home ON true
WHERE login.id = %(user)s
"""  # noqa: S608  (names of ours; values travel as parameters)
)


class CustomerBackend(AuthenticationBackend):
    """Logs in by e-mail, and reads the customer and where they live with the user in one query."""

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        """By the address the account is known by, never by one it only claims. One look, and one hash, for each."""
        user = User.objects.filter(email=email).first()
        return cast("User | None", self._check_password(user, password))

    def get_user(self, user_id: int) -> User | None:
        user = next((_make_user(row) for row in _READ_USER.fetch_rows({"user": user_id})), None)
        return user if user and self.user_can_authenticate(user) else None


def _make_user(row: tuple[Any, ...]) -> User:
    user = User.from_db(DEFAULT_DB_ALIAS, _USER, row[: len(_USER)])
    customer = Customer.from_db(DEFAULT_DB_ALIAS, _CUSTOMER, row[len(_USER) : -_HOME_FIELDS])
    if customer.pk:
        customer.home = row[-_HOME_FIELDS:]
        customer.user = user
    else:
        User._meta.get_field("customer").set_cached_value(user, None)  # noqa: SLF001  (no need to ask again)
    return user
