"""The pages of words, as staff keep them."""

from django.contrib import admin

from orders.models import InfoPage
from shop.admin_queries import StrictAdmin


@admin.register(InfoPage)
class InfoPageAdmin(StrictAdmin):
    list_display = ["title", "slug", "is_published", "position", "updated_at"]
    fieldsets = [
        (None, {"fields": ["title", "body"]}),
        ("Below the words", {"fields": ["facts"]}),
        ("Where it stands", {"fields": ["slug", "is_published", "position"]}),
    ]
    prepopulated_fields = {"slug": ["title"]}
