from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """A request as django-htmx's middleware leaves it: `htmx` is truthy when the page asked for a part of itself."""

    htmx: HtmxDetails
