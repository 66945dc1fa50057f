"""The roles staff are put into, for the owner to look at. What each may do is written in `roles`."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group

from shop.admin_queries import StrictAdmin


class RoleAdmin(StrictAdmin, GroupAdmin):
    list_display = ["name"]


def register_role_admin() -> None:
    """Called when the back office is ready, in the place of Django's own."""
    admin.site.unregister(Group)
    admin.site.register(Group, RoleAdmin)
