"""Logins, for the owner of the shop: who is staff, and what to do when somebody is locked out."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.forms import ResetPasswordForm
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator

from accounts.admin.audit import AuditedAdmin
from accounts.models import User
from accounts.privacy.access_log import DataSubject, mask_email

CUSTOMERS = "customers"
RIGHTS = ("is_active", "is_staff", "is_superuser", "groups")


class LoginKindFilter(admin.SimpleListFilter):
    """Staff, unless customers' logins are asked for."""

    title = "who"
    parameter_name = "who"

    @classmethod
    def is_about_customers(cls, request: HttpRequest) -> bool:
        return request.GET.get(cls.parameter_name) == CUSTOMERS

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(CUSTOMERS, "Customers' logins")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(is_staff=self.value() != CUSTOMERS)

    def choices(self, changelist: Any) -> Any:
        every, *others = super().choices(changelist)
        return [{**every, "display": "Staff"}, *others]


class UserForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("email", "first_name", "last_name", *RIGHTS)


def mail_password_link(request: HttpRequest, user: User) -> None:
    """Through allauth, like a forgotten password: staff never know anybody's password."""
    form = ResetPasswordForm({"email": user.email})
    if form.is_valid():
        form.save(request)


@admin.action(description="Mail a link to set a password")
def send_password_link(_admin: admin.ModelAdmin, request: HttpRequest, users: QuerySet[User]) -> None:
    for user in users.filter(is_active=True):
        mail_password_link(request, user)
    messages.success(request, "The link is on its way.")


@admin.action(description="Remove the second factor (lost phone)")
def remove_second_factor(model_admin: admin.ModelAdmin, request: HttpRequest, users: QuerySet[User]) -> None:
    for user in users:
        Authenticator.objects.filter(user=user).delete()
        model_admin.log_change(request, user, "Second factor removed.")
    messages.success(request, "Removed. They set up a new one the next time they sign in.")


@admin.register(User)
class UserAdmin(AuditedAdmin):
    """For superusers alone: whoever may change logins may become anybody."""

    form = UserForm
    list_display = ["login", "first_name", "last_name", "is_superuser", "has_second_factor", "is_active", "last_login"]
    list_filter = [LoginKindFilter, "groups"]
    list_select_related = ["customer"]
    search_fields = ["=email", "first_name", "last_name"]
    search_help_text = "Whole e-mail address, or name"
    sortable_by = ["login", "first_name", "last_name", "is_superuser", "is_active", "last_login"]
    filter_horizontal = ["groups"]
    actions = [send_password_link, remove_second_factor]

    @method_decorator(reauthentication_required(app="allauth.account", allow_get=True))
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What an action does to somebody's login, whoever finds a browser open must not do."""
        return super().changelist_view(request, extra_context)

    @method_decorator(reauthentication_required(app="allauth.account", allow_get=True))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    def subject(self, user: User) -> DataSubject:
        customer = getattr(user, "customer", None)
        return DataSubject(customer.pk if customer else None, about="Your login")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-pk",) if LoginKindFilter.is_about_customers(request) else ("email",)

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Not by an address that is masked."""
        masks = LoginKindFilter.is_about_customers(request)
        return [name for name in self.sortable_by or () if name != "login" or not masks]

    @admin.display(description="e-mail", ordering="email")
    def login(self, user: User) -> str:
        return user.email if user.is_staff else mask_email(user.email)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_owner(request)

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._is_owner(request)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._is_owner(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._is_owner(request)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def _is_owner(self, request: HttpRequest) -> bool:
        return request.user.is_active and bool(getattr(request.user, "is_superuser", False))

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users: QuerySet[User] = super().get_queryset(request)
        return users.annotate(second_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"))))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """An address moves only when its owner proves the new one; nobody takes away their own rights by mistake."""
        if obj is None:
            return ()
        return ("email", *RIGHTS) if obj.pk == request.user.pk else ("email",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"is_staff": True}

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
        if not change:
            mail_password_link(request, obj)
            messages.info(request, "A link to set a password is on its way to them.")

    @admin.display(description="second factor", boolean=True)
    def has_second_factor(self, user: User) -> bool:
        return bool(user.second_factor)  # type: ignore[attr-defined]
