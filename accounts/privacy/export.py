"""A copy of everything held about a customer: one archive, put together in the background and kept for a week.

Rows are the outbox here too: a request is a row, a job takes it up, and a job that died is followed by another.
"""

import io
import json
import re
import zipfile
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.consent import purposes, receipts
from accounts.models import AccountEvent, Customer, DataExport
from shop import personal_data
from shop.periods import Period
from shop.retrying import loops
from shop.retrying.loops import Loop

EXPORTS = loops.register_loop(
    Loop(
        "exports",
        "A copy of somebody's data",
        "It is tried again by itself; after the last try the customer is told to ask again. A copy is owed by law "
        "within a month.",
    )
)
MOST_ATTEMPTS = 5
MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)"
)  # with its offset, as exports write it
COPY_RETENTION = Period(days=7)
RECLAIMED_AFTER = timedelta(minutes=10)
MOST_PER_DAY = 5
State = DataExport.State


class TooManyExports(Exception):  # noqa: N818  (a refusal, not an error)
    """One is being made, or enough were made today."""


def get_private_storage() -> Storage:
    return storages["private"]


def request_export(customer: Customer) -> DataExport:
    """Asks for a copy; the one before it goes. Raises `TooManyExports` while one is made, or after five a day."""
    since = timezone.now() - timedelta(days=1)
    if customer.data_exports.filter(created_at__gte=since).count() >= MOST_PER_DAY:
        raise TooManyExports
    try:
        with transaction.atomic():
            return DataExport.objects.create(customer=customer)
    except IntegrityError:
        raise TooManyExports from None


def get_latest_export(customer: Customer) -> DataExport | None:
    return customer.data_exports.first()


def is_downloadable(export: DataExport) -> bool:
    return export.state == State.READY and bool(export.file) and get_deletion_time(export) > timezone.now()


def get_deletion_time(export: DataExport) -> Any:
    """When the file is deleted."""
    return (export.ready_at or export.created_at) + COPY_RETENTION


def build_waiting_exports(*, controller: dict[str, str], privacy_url: str) -> int:
    """Builds what was asked for, and what a job that died left half done. Returns how many."""
    count = 0
    while export := _claim_export():
        with EXPORTS.attempt(export.pk, subject=f"The copy {export.pk}"):
            _build_export(export, controller=controller, privacy_url=privacy_url)
        _requeue_unless_built(export)
        count += 1
    return count


def _requeue_unless_built(export: DataExport) -> None:
    has_more_attempts = EXPORTS.attempt_count(export.pk) < MOST_ATTEMPTS
    state = State.WAITING if has_more_attempts else State.FAILED
    DataExport.objects.filter(pk=export.pk, state=State.BUILDING).update(state=state)


def _claim_export() -> DataExport | None:
    died = Q(state=State.BUILDING, begun_at__lt=timezone.now() - RECLAIMED_AFTER)
    with transaction.atomic():
        waiting = DataExport.objects.filter(Q(state=State.WAITING) | died).order_by("created_at")
        export = EXPORTS.due(waiting).select_for_update(skip_locked=True).first()
        if export is not None:
            export.state, export.begun_at, export.done_count = State.BUILDING, timezone.now(), 0
            export.save(update_fields=["state", "begun_at", "done_count"])
    return export


def _build_export(export: DataExport, *, controller: dict[str, str], privacy_url: str) -> None:
    gathered = _gather_holdings(export)
    receipt = receipts.make_consent_receipt(export.customer, controller=controller, privacy_url=privacy_url)
    archive = _make_archive(gathered, receipt, controller)
    name = get_private_storage().save(f"exports/{export.pk}.zip", ContentFile(archive))
    with transaction.atomic():
        done = DataExport.objects.filter(pk=export.pk, state=State.BUILDING)
        if not done.update(state=State.READY, file=name, size=len(archive), ready_at=timezone.now()):
            get_private_storage().delete(name)  # erased meanwhile
            return
        AccountEvent.objects.create(kind=AccountEvent.Kind.EXPORT_READY, customer=export.customer)
    delete_exports(DataExport.objects.filter(customer=export.customer).exclude(pk=export.pk).exclude(file=""))


def _gather_holdings(export: DataExport) -> list[tuple[personal_data.Holding, personal_data.Rows]]:
    """Every kind of data, noting how far it is for the page that waits."""
    holdings = list(personal_data.get_holdings())
    gathered = []
    for done, holding in enumerate(holdings, start=1):
        gathered.append((holding, holding.export(export.customer)))
        DataExport.objects.filter(pk=export.pk).update(done_count=done, all_count=len(holdings))
    return gathered


def _make_archive(
    gathered: list[tuple[personal_data.Holding, personal_data.Rows]],
    receipt: dict[str, Any],
    controller: dict[str, str],
) -> bytes:
    made_at = timezone.now()
    data = {
        "made_at": made_at.isoformat(),
        "shop": controller,
        "data": {holding.key: {"title": holding.title, "rows": rows} for holding, rows in gathered},
    }
    page = render_to_string(
        "accounts/export.html",
        {
            "holdings": [(holding, _render_value(rows)) for holding, rows in gathered],
            "shop": controller,
            "made_at": made_at,
        },
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("read-me-first.html", page)
        archive.writestr("data.json", json.dumps(data, indent=2, ensure_ascii=False))
        archive.writestr("consent-receipt.json", json.dumps(receipt, indent=2, ensure_ascii=False))
    return buffer.getvalue()


def _render_value(value: Any) -> SafeString:
    """A JSON value as nested lists a person can read."""
    if isinstance(value, list):
        items = format_html_join("", "<li>{}</li>", ((_render_value(item),) for item in value))
        return format_html("<ol>{}</ol>", items) if value else format_html("<p>{}</p>", "Nothing.")
    if isinstance(value, dict):
        told = ((name.replace("_", " ").capitalize(), _render_value(item)) for name, item in value.items())
        return format_html("<dl>{}</dl>", format_html_join("", "<dt>{}</dt><dd>{}</dd>", told))
    if isinstance(value, bool):
        return format_html("{}", "yes" if value else "no")
    return format_html("{}", "–" if value in (None, "") else _format_value(value))


def _format_value(value: Any) -> Any:
    """A purpose by its title, a moment in the shop's own time zone; everything else as it is held."""
    if not isinstance(value, str):
        return value
    if purposes.is_purpose(value):
        return purposes.get_purpose(value).title
    return _format_moment(value) if MOMENT.fullmatch(value) else value


def _format_moment(value: str) -> str:
    try:
        return date_format(timezone.localtime(datetime.fromisoformat(value)), "j F Y, H:i")
    except ValueError:  # what somebody typed only looked like one
        return value


def delete_exports(exports: Any) -> int:
    """Deletes copies, their files first. Returns how many."""
    count = 0
    for export in exports:
        if export.file:
            get_private_storage().delete(export.file)
        count += export.delete()[0]
    return count


def retire_exports() -> int:
    """Deletes copies that are that old, and requests that came to nothing."""
    long_ago = timezone.now() - COPY_RETENTION
    return delete_exports(
        DataExport.objects.filter(Q(ready_at__lt=long_ago) | Q(ready_at=None, created_at__lt=long_ago))
    )
