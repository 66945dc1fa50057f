"""The pages of words, as staff keep them."""

from django.contrib import admin

from orders.models import InfoPage


@admin.register(InfoPage)
class InfoPageAdmin(admin.ModelAdmin):
    list_display = ["title", "slug", "is_published", "position", "updated_at"]
    fieldsets = [
        (None, {"fields": ["title", "body"]}),
        ("Below the words", {"fields": ["facts"]}),
        ("Where it stands", {"fields": ["slug", "is_published", "position"]}),
    ]
    prepopulated_fields = {"slug": ["title"]}
