"""Pages that show no more of a person than the open task needs, and the button that shows the rest for a reason."""

import time
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from accounts.admin.audit import AuditedAdmin
from accounts.models import AccessKind

UNMASKED_FOR_SECONDS = 15 * 60
UNMASKED_KEY = "shown"


class ReasonForm(forms.Form):
    """Why somebody needs to see more than their task shows."""

    reason = forms.CharField(
        min_length=5,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        error_messages={"required": "Say why you need it.", "min_length": "Say why in a few words."},
    )


class MaskedAdmin(AuditedAdmin):
    """Shows no more than the open task needs. A button shows the rest for a quarter of an hour, for a reason."""

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_showing"
        showing = path("<path:object_id>/showing/", self.admin_site.admin_view(self.unmask_view), name=name)
        return [showing, *super().get_urls()]

    def unmask_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if request.method == "POST":
            form = ReasonForm(request.POST)
            if form.is_valid():
                self.log_access(request, [row], what=AccessKind.SHOWN, detail=form.cleaned_data["reason"])
                self._unmask(request, row)
            else:
                messages.error(request, " ".join(map(str, form.errors["reason"])))
        return HttpResponseRedirect(
            reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        )

    def is_unmasked(self, request: HttpRequest, row: Any) -> bool:
        """Whether whoever is at work has asked to see this one whole, a short while ago."""
        until: float = request.session.get(UNMASKED_KEY, {}).get(self._key(row), 0)
        return until > time.time()

    def _unmask(self, request: HttpRequest, row: Any) -> None:
        now = time.time()
        standing = {key: until for key, until in request.session.get(UNMASKED_KEY, {}).items() if until > now}
        request.session[UNMASKED_KEY] = {**standing, self._key(row): now + UNMASKED_FOR_SECONDS}

    def _key(self, row: Any) -> str:
        return f"{self.opts.label_lower}:{row.pk}"
