"""What several apps offer as they get ready and one app loops over. Offered twice, it would be done twice."""

from collections.abc import Callable
from typing import Any, TypeVar

Entry = TypeVar("Entry")


class RegisteredTwiceError(ValueError):
    """Two apps, or one app twice, offered something under one key."""


class Registry(dict[str, Entry]):
    """Entries by key, in the order in which they were offered. `title` says what one is."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title

    def add(self, key: str, entry: Entry) -> None:
        """Raises RegisteredTwiceError when the key is taken."""
        if key in self:
            raise RegisteredTwiceError(f"{self.title} {key!r} is registered twice.")
        self[key] = entry


def get_dotted_name(function: Callable[..., Any]) -> str:
    """The key of a function that is offered for what it does."""
    return f"{function.__module__}.{function.__qualname__}"
