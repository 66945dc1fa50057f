"""Who of the shop looked at the customer's data: the whole log, as they may read it at any time."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import AccessLogEntry, Customer
from accounts.models.access_record import ACCESS_RETENTION
from accounts.people.auth import customer_required
from accounts.privacy.access_log import get_access_log

PER_PAGE = 30
ROLES = {"owner": "the owner", "": "no longer in a role"}


@never_cache
@require_safe
@customer_required
def access_log(request: HttpRequest, customer: Customer) -> HttpResponse:
    page = Paginator(get_access_log(customer), PER_PAGE).get_page(request.GET.get("page"))
    rows = [(entry, _format_staff_member(entry)) for entry in page]
    context = {"page": page, "rows": rows, "retention": ACCESS_RETENTION}
    return render(request, "storefront/account/access.html", context)


def _format_staff_member(entry: AccessLogEntry) -> str:
    role = ROLES.get(entry.staff_role, entry.staff_role)
    return f"{entry.staff_name or 'Somebody'} ({role})"
