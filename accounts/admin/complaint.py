"""Complaints about data: what came, by when it is to be answered, and the answer that closes it."""

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.audit import AuditedAdmin, ReadOnlyAdmin
from accounts.models import AccessKind, Customer, DataComplaint
from accounts.models.complaint import LONGEST_ANSWER, DataComplaintQuerySet
from accounts.privacy import complaints
from accounts.privacy.access_log import DataSubject, mask_email
from accounts.privacy.complaints import ComplaintRefused

SENT = "confirm"  # posted by the page that asks


class ComplaintMatterFilter(admin.SimpleListFilter):
    title = "matter"
    parameter_name = "matter"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("open", "To answer"), ("pressing", "To answer within a week"), ("answered", "Answered")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DataComplaint]) -> QuerySet[DataComplaint]:
        if not isinstance(queryset, DataComplaintQuerySet):
            return queryset
        if self.value() == "open":
            return queryset.unanswered()
        if self.value() == "pressing":
            return queryset.pressing(timezone.localdate())
        return queryset.exclude(answered_at=None) if self.value() == "answered" else queryset


class AnswerForm(forms.Form):
    answer = forms.CharField(
        max_length=LONGEST_ANSWER,
        help_text="It goes by mail to whoever complained, and closes the complaint.",
        error_messages={"required": "Write the answer: it is what they get."},
        widget=forms.Textarea(attrs={"class": "vLargeTextField", "rows": 8}),
    )


@admin.action(description="Answer", permissions=["change_complaint"])
def answer(
    model_admin: "DataComplaintAdmin", request: HttpRequest, chosen: QuerySet[DataComplaint]
) -> HttpResponse | None:
    """Asks for the words; one at a time."""
    if chosen.count() != 1:
        messages.error(request, "Choose one complaint: each has its own answer.")
        return None
    only = chosen.get()
    form = AnswerForm(request.POST if SENT in request.POST else None)
    if form.is_valid():
        _send_answer(model_admin, request, only, form.cleaned_data["answer"])
        return None
    model_admin.log_access(request, [only], what=AccessKind.LOOK, detail="Answer")
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "complaint": only,
        "action": request.POST.get("action", ""),
        "title": "Answer",
        "form": form,
    }
    return TemplateResponse(request, "admin/accounts/datacomplaint/answer.html", context)


def _send_answer(model_admin: "DataComplaintAdmin", request: HttpRequest, only: DataComplaint, words: str) -> None:
    try:
        complaints.answer_complaint(only.pk, answer=words, actor=_get_actor_name(request))
    except ComplaintRefused as refusal:
        messages.error(request, str(refusal))
        return
    model_admin.log_access(request, [only], what=AccessKind.CHANGE, detail="Answered")
    messages.success(request, f"Answered. The mail goes to {mask_email(only.email)}.")


def _get_actor_name(request: HttpRequest) -> str:
    return getattr(request.user, "first_name", "") or "Staff"


@admin.register(DataComplaint)
class DataComplaintAdmin(AuditedAdmin, ReadOnlyAdmin):
    list_display = ["received_at", "who", "excerpt", "due", "answered_at"]
    list_filter = [ComplaintMatterFilter]
    sortable_by = ["received_at", "due"]
    ordering = ["due_on", "pk"]
    actions = [answer]
    fields = ("received_at", "full_name", "address", "words", "due", "answer", "answered_at", "answered_by")

    def get_readonly_fields(self, request: HttpRequest, obj: DataComplaint | None = None) -> list[str]:
        return list(self.fields)

    @admin.display(description="e-mail")
    def who(self, complaint: DataComplaint) -> str:
        return mask_email(complaint.email)

    @admin.display(description="e-mail")
    def address(self, complaint: DataComplaint) -> str:
        """Whole while somebody has to answer it."""
        return complaint.email if complaint.answered_at is None else mask_email(complaint.email)

    @admin.display(description="complaint")
    def excerpt(self, complaint: DataComplaint) -> str:
        return complaint.words if len(complaint.words) <= 80 else f"{complaint.words[:79]}…"

    @admin.display(description="answer by", ordering="due_on")
    def due(self, complaint: DataComplaint) -> str | SafeString:
        day = date_format(complaint.due_on, "D j M Y")
        if complaint.answered_at is not None:
            return day
        late = complaint.is_overdue()
        left = (complaint.due_on - timezone.localdate()).days
        words = "overdue" if late else f"{left} day{'' if left == 1 else 's'} left"
        return format_html('<span class="badge {}">{} ({})</span>', "out" if late else "wait", day, words)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DataComplaint]:
        """With `owner_id`: the customer whose proved address it came from, if there is one."""
        owner = Customer.objects.filter(email=OuterRef("email"), email_proved_at__isnull=False)
        found: QuerySet[DataComplaint] = (
            super().get_queryset(request).annotate(owner_id=Subquery(owner.values("pk")[:1]))
        )
        return found

    def subject(self, complaint: DataComplaint) -> DataSubject:
        return DataSubject(getattr(complaint, "owner_id", None), "", str(complaint))

    def has_change_complaint_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_datacomplaint")
