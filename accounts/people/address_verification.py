"""When an address is proved, what waits for it may join the customer. Apps above register what that is."""

from collections.abc import Callable

from accounts.models import Customer
from shop.registry import Registry, get_dotted_name

_callbacks = Registry[Callable[[Customer], None]]("What follows a proved address,")


def register_address_proved_callback(callback: Callable[[Customer], None]) -> None:
    """Registers what to do for a customer whose address has just been proved (called in `AppConfig.ready`)."""
    _callbacks.add(get_dotted_name(callback), callback)


def run_address_proved_callbacks(customer: Customer) -> None:
    for callback in _callbacks.values():
        callback(customer)
