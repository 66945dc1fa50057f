"""The rule by which orders approve themselves, tried on past orders before it is switched on. Changes nothing."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from orders.fulfilment.approval_rule import ApprovalRule, try_rule_on_past
from shop.admin_queries import check_parameters
from shop.money import get_shop_currency
from shop.price_field import PriceField

PAGE = "orders_shopsettings_rule"


class RuleForm(forms.Form):
    """A rule to try. What cannot be read is said, and nothing is tried."""

    up_to = forms.DecimalField()
    first_orders = forms.BooleanField(required=False, label="also a buyer’s first order")

    def __init__(self, data: Any, **options: Any) -> None:
        super().__init__(data, **options)
        self.fields["up_to"] = PriceField(
            currency=get_shop_currency(), min_value=Decimal(0), max_digits=10, label="Up to a total of"
        )

    def make_rule(self) -> ApprovalRule:
        typed = self.cleaned_data
        return ApprovalRule(typed["up_to"], get_shop_currency(), takes_first_orders=typed["first_orders"])


def build_rule_url(model_admin: admin.ModelAdmin) -> URLPattern:
    """For whoever may see both the settings and orders."""

    @require_safe
    def show_rule(request: HttpRequest) -> HttpResponse:
        if not (model_admin.has_view_permission(request) and request.user.has_perm("orders.view_order")):
            raise PermissionDenied
        check_parameters(request, RuleForm.base_fields)
        return _render_rule(model_admin, request)

    return path("1/rule/", model_admin.admin_site.admin_view(show_rule), name=PAGE)


def _render_rule(model_admin: admin.ModelAdmin, request: HttpRequest) -> TemplateResponse:
    kept = ApprovalRule.from_settings()
    form = RuleForm(request.GET or None, initial={"up_to": kept.up_to, "first_orders": kept.takes_first_orders})
    tried = kept if kept.up_to is not None and not form.is_bound else None
    if form.is_bound:
        tried = form.make_rule() if form.is_valid() else None
    verdicts = try_rule_on_past(tried) if tried else []
    context = {
        "title": "Orders that approve themselves",
        "form": form,
        "is_on": kept.up_to is not None,
        "is_kept": tried == kept,
        "conditions": tried.list_conditions() if tried else [],
        "is_tried": tried is not None,
        "verdicts": verdicts,
        "approved_count": sum(each.is_approved for each in verdicts),
    }
    frame = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts}
    return TemplateResponse(request, "admin/orders/shopsettings/rule.html", {**frame, **context})
