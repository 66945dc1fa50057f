"""Pages for what went wrong, with the same headers and the same look as every other."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    # The same for an order that is not theirs and one that is not there: the address alone decides.
    return render(request, "404.html", {"is_order": request.path.startswith("/orders/")}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    # Without the request: the frame's own reading may be what failed.
    return HttpResponse(render_to_string("500.html"), status=500)
