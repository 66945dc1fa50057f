"""The mail room's pages in the back office: what went out, what did not and why, the letters."""

import re
from operator import itemgetter
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.admin.audit import AuditedAdmin, ReadOnlyAdmin
from accounts.admin.customer_filter import ByCustomerFilter
from accounts.models import Customer
from accounts.people.email_addresses import normalize_searched_address
from accounts.privacy.access_log import DataSubject, mask_email
from notifications import audience, lengths, newsletter
from notifications.lengths import TooLongError
from notifications.models import NewsletterIssue, OutgoingEmail, OutgoingItem, Suppression
from notifications.suppressions import build_address_filter
from notifications.topics import TOPICS
from notifications.topics.newsletter import format_paragraphs
from orders.admin.paging import DeepPaginator
from shop.admin_queries import StrictAdmin


class OutgoingItemInline(admin.TabularInline):
    """The parts of a mail, and what each stands on. What was suggested, and why, is between the shop and its reader."""

    model = OutgoingItem
    fk_name = "email"
    readonly_fields = (
        "block",
        "purpose",
        "stands_on",
        "stands_since_at",
        "fate",
    )
    fields = readonly_fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutgoingItem]:
        return super().get_queryset(request).select_related("consent_record").defer("why", "product")

    @admin.display(description="what became of it")
    def fate(self, item: OutgoingItem) -> str:
        return f"Left out: {item.get_drop_reason_display().lower()}" if item.is_dropped else "In the mail"

    @admin.display(description="stands on")
    def stands_on(self, item: OutgoingItem) -> str:
        if item.is_essential:
            return "Always sent"
        if item.order_tick_id:
            return "The tick on the order"
        return f"Consent record {item.consent_record}" if item.consent_record else "Nothing"


class TopicFilter(admin.SimpleListFilter):
    title = "what it is"
    parameter_name = "topic"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return sorted(((topic.key, topic.title) for topic in TOPICS.values()), key=itemgetter(1))

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutgoingEmail]) -> QuerySet[OutgoingEmail]:
        return queryset.filter(topic=self.value()) if self.value() else queryset


@admin.register(OutgoingEmail)
class OutgoingEmailAdmin(AuditedAdmin, ReadOnlyAdmin):
    """Why somebody got a mail, and why somebody got none. Whoever asks knows the address; it is not told here."""

    list_display = ["to", "what_it_is", "where_it_stands", "order_link", "created_at"]
    list_filter = ["state", "skip_reason", TopicFilter, ByCustomerFilter]
    list_select_related = ["order"]
    search_fields = ["=order__number"]
    search_help_text = "Whole e-mail address, or order number"
    ordering = ["-created_at"]
    list_per_page = 50
    paginator = DeepPaginator
    inlines = [OutgoingItemInline]
    readonly_fields = (
        "what_it_is", "kind", "to", "customer_link", "order_link", "where_it_stands", "subject", "message_id",
        "attempt_count", "due_at", "what_went_wrong", "created_at", "sent_at",
    )  # fmt: skip
    fields = readonly_fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OutgoingEmail], search_term: str
    ) -> tuple[QuerySet[OutgoingEmail], bool]:
        """By the whole of an address or a number: nobody is found by a part of theirs."""
        term = search_term.strip()
        if "@" in term:
            return queryset.filter(to_address__iexact=normalize_searched_address(term)), False
        return queryset.filter(order__number=term.upper()) if term else queryset, False

    def subject(self, email: OutgoingEmail) -> DataSubject:
        number = email.order.number if email.order else ""
        return DataSubject(
            email.customer_id or (email.order.customer_id if email.order else None), number, "Mail to you"
        )

    @admin.display(description="what it is")
    def what_it_is(self, email: OutgoingEmail) -> str:
        """Kinds of mail come and go; what went stays."""
        return TOPICS[email.topic].title if email.topic in TOPICS else email.topic

    @admin.display(description="to")
    def to(self, email: OutgoingEmail) -> str:
        return mask_email(email.to_address)

    @admin.display(description="last error")
    def what_went_wrong(self, email: OutgoingEmail) -> str:
        """Mail servers repeat the address they refuse."""
        return re.sub(re.escape(email.to_address), mask_email(email.to_address), email.last_error, flags=re.IGNORECASE)

    @admin.display(description="customer")
    def customer_link(self, email: OutgoingEmail) -> str:
        if email.customer_id is None:
            return "–"
        page = reverse("admin:accounts_customer_change", args=[email.customer_id])
        return format_html('<a href="{}">Customer {}</a>', page, email.customer_id)

    @admin.display(description="where it stands", ordering="state")
    def where_it_stands(self, email: OutgoingEmail) -> str:
        state = email.get_state_display()
        return f"{state}: {email.get_skip_reason_display().lower()}" if email.skip_reason else state

    @admin.display(description="order")
    def order_link(self, email: OutgoingEmail) -> str:
        if email.order is None:
            return "–"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:orders_order_change", args=[email.order.pk]), email.order
        )

    @admin.display(description="Message-ID")
    def message_id(self, email: OutgoingEmail) -> str:
        return str(email.pk)


@admin.register(Suppression)
class SuppressionAdmin(AuditedAdmin):
    """Addresses that get no mail. Staff may add one, or lift one once its owner says that mail arrives again."""

    list_display = ["address", "reason", "detail", "created_at"]
    list_filter = ["reason"]
    search_fields = ["address"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Suppression]:
        whose = Customer.objects.filter(email__iexact=OuterRef("address")).values("pk")[:1]
        suppressions: QuerySet[Suppression] = super().get_queryset(request)
        return suppressions.annotate(customer_id=Subquery(whose))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Suppression], search_term: str
    ) -> tuple[QuerySet[Suppression], bool]:
        """By a part of an address; by the whole of one also where only its hash was kept."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        address = normalize_searched_address(search_term)
        return (found | queryset.filter(build_address_filter(address)) if address else found), may_repeat

    def subject(self, suppression: Suppression) -> DataSubject:
        return DataSubject(getattr(suppression, "customer_id", None), about="That your address refuses our mail")

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str | list[str]]:
        return {"reason": Suppression.Reason.STAFF}


class NewsletterForm(forms.ModelForm):
    """Counts while somebody writes; refuses what mail programs would cut."""

    class Meta:
        model = NewsletterIssue
        fields = ["subject", "body"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self.size = lengths.measure_newsletter(cleaned.get("subject", ""), cleaned.get("body", ""))
        if self.size > lengths.MOST_BYTES:
            self.add_error("body", str(TooLongError(self.size)))
        return cleaned


@admin.register(NewsletterIssue)
class NewsletterIssueAdmin(StrictAdmin):
    """Write, look, send. What was sent stays as it is."""

    form = NewsletterForm

    list_display = ["subject", "created_at", "released_at", "released_by"]
    fields = ["subject", "body"]
    change_form_template = "admin/notifications/newsletter_form.html"

    def has_change_permission(self, request: HttpRequest, obj: NewsletterIssue | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.released_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: NewsletterIssue | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.released_at is None)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The field tells the page's counter how much room the words have."""
        form = super().get_form(request, obj, change, **kwargs)
        if "body" in form.base_fields:
            room = {"data-most": lengths.MOST_BYTES, "data-many": lengths.MANY_BYTES}
            form.base_fields["body"].widget.attrs |= {**room, "data-frame": lengths.measure_newsletter("", "")}
        return form

    def save_model(self, request: HttpRequest, obj: NewsletterIssue, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.size > lengths.MANY_BYTES:
            messages.warning(request, f"It gets long. {lengths.describe_size(form.size)}")

    def get_urls(self) -> list[URLPattern]:
        preview = path(
            "<int:issue_id>/preview/", self.admin_site.admin_view(self.preview), name="notifications_newsletter_preview"
        )
        return [preview, *super().get_urls()]

    def preview(self, request: HttpRequest, issue_id: int) -> HttpResponse:
        """The letter as readers get it, and the button that sends it."""
        issue = get_object_or_404(NewsletterIssue, pk=issue_id)
        if not self.has_view_permission(request, issue):
            raise PermissionDenied
        if request.method == "POST":
            return self._send(request, issue)
        size = lengths.measure_newsletter(issue.subject, issue.body)
        context = {
            **self.admin_site.each_context(request),
            "title": issue.subject,
            "opts": self.opts,
            "issue": issue,
            "paragraphs": format_paragraphs(issue.body),
            "reader_count": audience.count_newsletter_readers() if issue.released_at is None else 0,
            "progress": newsletter.count_issue_mails(issue) if issue.released_at else [],
            "may_send": self.has_change_permission(request, issue) and size <= lengths.MOST_BYTES,
            "size_text": lengths.describe_size(size) if size > lengths.MANY_BYTES else "",
        }
        return TemplateResponse(request, "admin/notifications/newsletter_preview.html", context)

    def _send(self, request: HttpRequest, issue: NewsletterIssue) -> HttpResponse:
        here = reverse("admin:notifications_newsletter_preview", args=[issue.pk])
        if not super().has_change_permission(request, issue):
            raise PermissionDenied
        try:
            if newsletter.release_issue(issue.pk, actor=str(request.user)):
                messages.success(request, "It is on its way to everybody who asked for the newsletter.")
            else:
                messages.warning(request, "It was sent before; nothing was sent again.")
        except TooLongError as refusal:
            messages.error(request, f"It was not sent. {refusal}")
        return HttpResponseRedirect(here)
