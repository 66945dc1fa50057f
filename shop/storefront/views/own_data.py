"""What the shop holds about a customer, in counts and plain words, and a copy of all of it to take away."""

from typing import Any
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Customer
from accounts.people.auth import customer_required, has_login
from accounts.privacy import erasure, export
from shop import personal_data

FILENAME = "your-data-at-say-when.zip"


@never_cache
@require_safe
@customer_required
def own_data(request: HttpRequest, customer: Customer) -> HttpResponse:
    standing = erasure.find_open_erasure(customer)
    who_first = sorted(personal_data.get_holdings(), key=lambda holding: not holding.is_person)
    counted = [(holding, holding.count_rows(customer)) for holding in who_first]
    context = {
        **_build_copy_context(customer),
        "held": [(holding, count) for holding, count in counted if count],
        "empty": [holding for holding, count in counted if not count],
        "erasure": standing,
        "cooling_off": erasure.COOLING_OFF,
        "erasure_token": erasure.make_erasure_token(standing) if standing else "",
    }
    return render(request, "storefront/account/own_data.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def data_copies(request: HttpRequest, customer: Customer) -> HttpResponse:
    """POST asks for a copy; GET is how far it is, for the page that waits."""
    if request.method == "POST":
        _request_copy(request, customer)
    if request.headers.get("HX-Request"):
        return render(request, "partials/data_copy.html", _build_copy_context(customer))
    return redirect("own_data")


def _request_copy(request: HttpRequest, customer: Customer) -> None:
    try:
        export.request_export(customer)
    except export.TooManyExports:
        if not request.headers.get("HX-Request"):
            messages.warning(request, f"One copy at a time, and at most {export.MOST_PER_DAY} a day.")


def _build_copy_context(customer: Customer) -> dict[str, Any]:
    latest = export.get_latest_export(customer)
    is_ready = latest is not None and export.is_downloadable(latest)
    return {
        "copy": latest,
        "copy_is_ready": is_ready,
        "copy_is_under_way": latest is not None and latest.state in (export.State.WAITING, export.State.BUILDING),
        "copy_until": export.get_deletion_time(latest) if latest else None,
        "copy_days": export.COPY_RETENTION.days,
    }


@never_cache
@require_safe
@customer_required
@reauthentication_required(enabled=has_login, app="allauth.account")  # type: ignore[untyped-decorator]
def download_copy(request: HttpRequest, customer: Customer, export_id: UUID) -> HttpResponseBase:
    """Only its owner, only while it is kept, and always as a file to save."""
    found = get_object_or_404(customer.data_exports, pk=export_id)
    if not export.is_downloadable(found):
        raise Http404
    try:
        archive = export.get_private_storage().open(found.file)
    except FileNotFoundError as gone:
        raise Http404 from gone
    return FileResponse(archive, as_attachment=True, filename=FILENAME, content_type="application/zip")
