"""“How we keep our word”: the shop through its customers' eyes. Changes nothing; each bar leads to its orders."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
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
from orders.models import Order, StripeRecord
from orders.returns.queue import summarize_returns_and_withdrawals
from shop.admin_queries import check_parameters
from shop.money import format_amount

PAGE = "orders_order_figures"
MOST_LANES = 20
WHOLE = 100  # a bar's full length
PROMISED, LATE, REACHED, BACK, RETURNED = "promised", "late", "reached", "back", "returned"
# What a kind of bar may name beside its day.
NAMED: dict[str, set[str]] = {REACHED: {*stage_times.STEPS}, RETURNED: {*return_reasons.Reason.values}}
CURRENCY = re.compile(r"[A-Z]{3}")  # which one of money that went back
LANES = "lanes"  # the page of the lanes


@dataclass(frozen=True)
class Bar:
    """`length` and `mark`: of 100. `mark`: a second, fainter part that reaches that far; 0 for none."""

    label: str
    text: str
    url: str
    length: float
    mark: float = 0


@dataclass(frozen=True)
class Waiting:
    """What waits for staff, and since when the first of it does."""

    title: str
    count: int
    oldest_at: datetime | None
    url: str


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
            return money_back.filter_given_back(queryset, on, currency=what)
        if kind == RETURNED:
            return return_reasons.filter_coming_back(queryset, what, on)
        return promises_kept.filter_promised(queryset, on, only_late=kind == LATE)


def _parse_figure(text: str) -> tuple[str, str, date] | None:
    """Such as `late::2026-11-23`, `back:GBP:2026-11-23` or `reached:shipment_packed:2026-10-01`.

    None for what no bar asks.
    """
    parts = text.split(":")
    if len(parts) != 3 or parts[0] not in (PROMISED, LATE, REACHED, BACK, RETURNED):
        return None
    is_named = CURRENCY.fullmatch(parts[1]) if parts[0] == BACK else parts[1] in NAMED.get(parts[0], {""})
    if not is_named:
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
    words = {PROMISED: "Promised", LATE: "Not there in time", BACK: f"Money back, {what}"}
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
        check_parameters(request, (LANES,))
        figures = build_figures(lanes_page=request.GET.get(LANES, ""))
        frame = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts}
        return TemplateResponse(request, "admin/orders/order/figures.html", {**frame, **figures})

    return path("figures/", model_admin.admin_site.admin_view(show_figures), name=PAGE)


def build_figures(*, lanes_page: str = "") -> dict[str, Any]:
    """Eight queries. A page of lanes that there is not is the nearest that there is."""
    today = timezone.localdate()
    kept = promises_kept.count_promises_kept(today)
    lanes = Paginator(kept.lanes, MOST_LANES).get_page(lanes_page)
    return {
        "title": "How we keep our word",
        "weeks": [_make_week_bar(each) for each in kept.weeks],
        "week_days": [date_format(each.week_on, "j M") for each in kept.weeks],
        "lanes": [_describe_lane(lane) for lane in lanes],
        "lanes_page": lanes,
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
    """The oldest in each queue, and of withdrawals, returns and disputes; four queries."""
    now = timezone.now()
    ages = [(each, now - each.oldest_at) for each in _list_waiting() if each.count and each.oldest_at]
    longest = max((age for _, age in ages), default=timedelta(0)) or timedelta(seconds=1)
    return [
        Bar(
            each.title,
            f"{each.count} in it, the oldest for {timesince(now - age, now, depth=1)}",
            each.url,
            length=round(WHOLE * (age / longest), 1),
        )
        for each, age in ages
    ]


def _list_waiting() -> list[Waiting]:
    found = [
        Waiting(each.queue.title, each.count, each.oldest_at, _build_url(queue=each.queue.key))
        for each in queue.summarize_queues()
    ]
    returns, withdrawals = summarize_returns_and_withdrawals()
    disputes = StripeRecord.objects.count_open_matters()
    matters = (
        ("Withdrawals", withdrawals.open_count, withdrawals.oldest_at, "withdrawal", "open"),
        ("Returns here", returns.in_hand_count, returns.oldest_at, "returnauthorization", "here"),
        ("Disputes", disputes["disputes"], disputes["disputed_at"], "striperecord", "disputes"),
    )
    for title, count, oldest_at, model, matter in matters:
        url = f"{reverse(f'admin:orders_{model}_changelist')}?{urlencode({'matter': matter})}"
        found.append(Waiting(title, count, oldest_at, url))
    return found


def _make_money_bars(today: date) -> list[Bar]:
    found = money_back.count_money_back(today)
    most = {each.currency: max(other.amount for other in found if other.currency == each.currency) for each in found}
    return [
        Bar(
            date_format(each.week_on, "j M"),
            _describe_money_back(each),
            _build_url(figure=f"{BACK}:{each.currency}:{each.week_on.isoformat()}", queue="any"),
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
