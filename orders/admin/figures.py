"""“How we keep our word”: the shop through its customers' eyes. Changes nothing; each bar leads to its orders."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.views.decorators.http import require_safe
from django_countries import countries

from orders.figures import money_back, promises_kept, return_reasons, stage_times
from orders.figures.money_back import MoneyBack
from orders.figures.promises_kept import KeptCount, LaneRecord
from orders.fulfilment import queue
from orders.models import Order
from shop.admin_queries import check_parameters
from shop.money import format_amount

PAGE = "orders_order_figures"
MOST_LANES = 20
WHOLE = 100  # a bar's full length
PROMISED, LATE, REACHED, BACK, RETURNED = "promised", "late", "reached", "back", "returned"
# What a kind of bar may name beside its day.
NAMED: dict[str, set[str]] = {REACHED: {*stage_times.STEPS}, RETURNED: {*return_reasons.Reason.values}}


@dataclass(frozen=True)
class Bar:
    """`length` and `mark`: of 100. `mark`: a second, fainter part that reaches that far; 0 for none."""

    label: str
    text: str
    url: str
    length: float
    mark: float = 0


class FigureFilter(admin.SimpleListFilter):
    """The orders behind a bar of that page. It stands among the filters only while it is asked for."""

    title = "figure"
    parameter_name = "figure"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name, "")
        return [(asked, _describe_figure(asked))] if _parse_figure(asked) else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        parsed = _parse_figure(self.value() or "")
        if parsed is None:
            return queryset
        kind, what, on = parsed
        if kind == REACHED:
            return stage_times.filter_reached(queryset, what, on)
        if kind == BACK:
            return money_back.filter_given_back(queryset, on)
        if kind == RETURNED:
            return return_reasons.filter_coming_back(queryset, what, on)
        return promises_kept.filter_promised(queryset, on, only_late=kind == LATE)


def _parse_figure(text: str) -> tuple[str, str, date] | None:
    """Such as `late::2026-11-23` or `reached:shipment_packed:2026-10-01`; None for what no bar asks."""
    parts = text.split(":")
    if len(parts) != 3 or parts[0] not in (PROMISED, LATE, REACHED, BACK, RETURNED):
        return None
    if parts[1] not in NAMED.get(parts[0], {""}):
        return None
    try:
        return parts[0], parts[1], date.fromisoformat(parts[2])
    except ValueError:
        return None


def _describe_figure(text: str) -> str:
    parsed = _parse_figure(text)
    if parsed is None:
        return ""
    kind, what, on = parsed
    day = date_format(on, "j M")
    words = {PROMISED: "Promised", LATE: "Not there in time", BACK: "Money back"}
    if kind == REACHED:
        return f"{dict(stage_times.STEPS)[what]}, since {day}"  # type: ignore[index]
    if kind == RETURNED:
        return f"Sent back, {return_reasons.Reason(what).label.lower()}, since {day}"
    return f"{words[kind]}, week of {day}"


def build_figures_url(model_admin: admin.ModelAdmin) -> URLPattern:
    """For whoever may see orders."""

    @require_safe
    def show_figures(request: HttpRequest) -> HttpResponse:
        if not model_admin.has_view_permission(request):
            raise PermissionDenied
        check_parameters(request, ())
        frame = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts}
        return TemplateResponse(request, "admin/orders/order/figures.html", {**frame, **build_figures()})

    return path("figures/", model_admin.admin_site.admin_view(show_figures), name=PAGE)


def build_figures() -> dict[str, Any]:
    """Eight queries."""
    today = timezone.localdate()
    kept = promises_kept.count_promises_kept(today)
    return {
        "title": "How we keep our word",
        "weeks": [_make_week_bar(each) for each in kept.weeks],
        "week_days": [date_format(each.week_on, "j M") for each in kept.weeks],
        "lanes": [_describe_lane(lane) for lane in kept.lanes[:MOST_LANES]],
        "left_out": max(0, len(kept.lanes) - MOST_LANES),
        "stages": _make_stage_bars(today),
        "waiting": _make_waiting_bars(),
        "money": _make_money_bars(today),
        "reasons": _make_reason_bars(today),
    }


def _build_url(**asked: str) -> str:
    return f"{reverse('admin:orders_order_changelist')}?{urlencode(asked)}"


def _make_week_bar(week: KeptCount, **lane: str) -> Bar:
    label = date_format(week.week_on, "j M")
    text = f"{week.percent} %: {week.kept} of {week.promised}" if week.promised else "nothing promised"
    url = _build_url(figure=f"{PROMISED}::{week.week_on.isoformat()}", **lane) if week.promised else ""
    return Bar(label, text, url, length=week.percent)


def _describe_lane(lane: LaneRecord) -> dict[str, Any]:
    where = {"country": lane.country, "method": lane.method}
    return {
        "name": " · ".join(filter(None, (str(countries.name(lane.country)) or lane.country, lane.method))),
        "promised": lane.promised,
        "kept": lane.kept,
        "percent": WHOLE * lane.kept // lane.promised,
        "weeks": [_make_lane_cell(week, where) for week in lane.weeks],
    }


def _make_lane_cell(week: KeptCount, where: dict[str, str]) -> dict[str, Any]:
    """What was late leads to what was late; a week that was kept whole, to all of it."""
    kind = LATE if week.late else PROMISED
    asked = {name: value for name, value in where.items() if value}
    url = _build_url(figure=f"{kind}::{week.week_on.isoformat()}", **asked) if week.promised else ""
    return {"percent": week.percent, "promised": week.promised, "late": week.late, "url": url}


def _make_stage_bars(today: date) -> list[Bar]:
    found = stage_times.measure_stages(today)
    longest = max((each.ninth for each in found), default=0) or 1
    since = (today - stage_times.PERIOD).isoformat()
    return [
        Bar(
            each.title,
            f"half within {format_seconds(each.median)}, nine in ten within {format_seconds(each.ninth)}",
            _build_url(figure=f"{REACHED}:{each.kind}:{since}"),
            length=round(WHOLE * each.median / longest, 1),
            mark=round(WHOLE * each.ninth / longest, 1),
        )
        for each in found
    ]


def format_seconds(seconds: float) -> str:
    """In minutes, hours or days: the largest of them of which there are two."""
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size or (unit == "minute"):
            count = max(1, round(seconds / size))
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return ""


def _make_waiting_bars() -> list[Bar]:
    """Each queue's oldest; four queries."""
    now = timezone.now()
    waiting = [each for each in queue.summarize_queues() if each.count and each.oldest_at]
    ages = {each.queue.key: now - each.oldest_at for each in waiting if each.oldest_at}
    longest = max(ages.values(), default=timedelta(0)) or timedelta(seconds=1)
    return [
        Bar(
            each.queue.title,
            f"{each.count} in it, the oldest for {timesince(now - ages[each.queue.key], now, depth=1)}",
            _build_url(queue=each.queue.key),
            length=round(WHOLE * (ages[each.queue.key] / longest), 1),
        )
        for each in waiting
    ]


def _make_money_bars(today: date) -> list[Bar]:
    found = money_back.count_money_back(today)
    most = {each.currency: max(other.amount for other in found if other.currency == each.currency) for each in found}
    return [
        Bar(
            date_format(each.week_on, "j M"),
            _describe_money_back(each),
            _build_url(figure=f"{BACK}::{each.week_on.isoformat()}", queue="any"),
            length=round(float(WHOLE * each.amount / most[each.currency]), 1),
        )
        for each in found
    ]


def _describe_money_back(back: MoneyBack) -> str:
    return f"{format_amount(back.amount, back.currency)} of {_count_orders(back.order_count)}"


def _make_reason_bars(today: date) -> list[Bar]:
    found = return_reasons.count_reasons(today)
    most = max((each.order_count for each in found), default=1)
    since = (today - return_reasons.PERIOD).isoformat()
    return [
        Bar(
            return_reasons.Reason(each.reason).label,
            f"{_count_orders(each.order_count)}, {each.piece_count} piece{'' if each.piece_count == 1 else 's'}",
            _build_url(figure=f"{RETURNED}:{each.reason}:{since}", queue="any"),
            length=round(WHOLE * each.order_count / most, 1),
        )
        for each in found
    ]


def _count_orders(count: int) -> str:
    return "one order" if count == 1 else f"{count} orders"
