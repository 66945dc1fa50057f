"""How the shop takes requests from its web server."""

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest


class TolerantRequest(WSGIRequest):
    """Django's own fails, before anything can answer, on a Content-Type whose parameters cannot be decoded."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]  # django-stubs leaves it out
        except ValueError:
            self.content_type, self.content_params = "", {}  # a body of no kind we read


class ShopHandler(WSGIHandler):
    request_class = TolerantRequest
