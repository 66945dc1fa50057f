from django.http import HttpResponseRedirect
from django.shortcuts import resolve_url


class SeeOther(HttpResponseRedirect):
    """After a POST: look there with GET."""

    status_code = 303


def see_other(to: object, *args: object) -> SeeOther:
    return SeeOther(resolve_url(to, *args))  # type: ignore[arg-type]
