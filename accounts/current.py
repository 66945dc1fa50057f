from django.http import HttpRequest

from accounts.customers import customer_for
from accounts.models import Customer, User


def customer_of(request: HttpRequest) -> Customer | None:
    """The customer behind a request; None for visitors. The one way views ask who this is."""
    return customer_for(request.user) if isinstance(request.user, User) else None
