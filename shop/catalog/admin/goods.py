"""Categories, makers, products with their variants and pictures. What shoppers read of them is refreshed on save."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.forms import BaseModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from shop.admin_queries import StrictAdmin
from shop.catalog import events, listing
from shop.catalog.admin.forms import CategoryForm, MakerForm, PictureForm, ProductForm, VariantForm
from shop.catalog.admin.named_forms import VariantFormSet
from shop.catalog.admin.stock import MOST_AT_ONCE
from shop.catalog.category_tree import read_category_tree
from shop.catalog.models import Category, Maker, Product, ProductImage, StockRecord, Store, Variant
from shop.money import format_amount


@admin.register(Category)
class CategoryAdmin(StrictAdmin):
    form = CategoryForm
    list_display = ["name", "parent", "position", "tint"]
    list_editable = ["position"]
    list_select_related = ["parent"]
    prepopulated_fields = {"slug": ["name"]}
    search_fields = ["name"]

    def save_model(self, request: HttpRequest, obj: Category, form: BaseModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if (change and "name" in form.changed_data) or "parent" in form.changed_data:
            below = Product.objects.filter(category__in=read_category_tree().subtree_ids(obj.pk))
            listing.refresh_listings(below.values_list("id", flat=True))


@admin.register(Maker)
class MakerAdmin(StrictAdmin):
    form = MakerForm
    list_display = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    search_fields = ["name"]

    def save_model(self, request: HttpRequest, obj: Maker, form: BaseModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "name" in form.changed_data:
            listing.refresh_listings(obj.products.values_list("id", flat=True))


class VariantInline(admin.TabularInline):
    model = Variant
    form = VariantForm
    formset = VariantFormSet
    extra = 1
    can_delete = False  # carts and orders know it: take it off sale instead

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        """Each row says its name, which begins with the product's."""
        return super().get_queryset(request).select_related("product")


class PictureInline(admin.TabularInline):
    model = ProductImage
    form = PictureForm
    fields = ["file", "upload", "alt", "position"]
    readonly_fields = ["file"]
    extra = 1


@admin.action(description="Put on the shelf", permissions=["change"])
def publish(_admin: Any, _request: HttpRequest, products: QuerySet[Product]) -> None:
    with transaction.atomic():
        product_ids = list(products.values_list("pk", flat=True))
        products.update(is_published=True)
        events.record_releases(product_ids)


@admin.action(description="Take off the shelf", permissions=["change"])
def unpublish(_admin: Any, _request: HttpRequest, products: QuerySet[Product]) -> None:
    products.update(is_published=False)


@admin.register(Product)
class ProductAdmin(StrictAdmin):
    form = ProductForm
    inlines = [VariantInline, PictureInline]
    actions = [publish, unpublish]
    list_display = ["title", "category", "maker", "costs_from", "is_published", "is_available", "released_on"]
    list_filter = ["is_published", "is_available", "category"]
    list_select_related = ["category", "maker"]
    search_fields = ["title", "variants__sku"]
    prepopulated_fields = {"slug": ["title"]}
    autocomplete_fields = ["category", "maker", "goes_with"]
    readonly_fields = ["costs_from", "is_available", "created_at", "updated_at"]
    change_form_template = "admin/catalog/product/change_form.html"

    @admin.display(description="price from", ordering="price_from")
    def costs_from(self, product: Product) -> str:
        return format_amount(product.price_from, product.currency)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return super().get_queryset(request).defer("search_text", "search_vector", "title_vector")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        product = self.get_object(request, object_id)
        context = _find_stock(product, request) if product else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        """History names products: they are taken off the shelf, not deleted."""
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        _create_stock_records(form.instance)
        events.record_releases([form.instance.pk])
        listing.refresh_listings([form.instance.pk])


def _find_stock(product: Product, request: HttpRequest) -> dict[str, Any]:
    """What there is of it, variant by variant and store by store, in two queries; nothing for who may not see stock."""
    if not request.user.has_perm("catalog.view_stockrecord"):
        return {}
    records = StockRecord.objects.select_related("store").order_by("store__position", "store_id")
    variants = list(product.variants.prefetch_related(Prefetch("stock", records)))
    count = sum(len(variant.stock.all()) for variant in variants)
    may_move = request.user.has_perm("catalog.change_stockrecord") and 0 < count <= MOST_AT_ONCE
    search = urlencode({"q": product.title})
    stock_url = f"{reverse('admin:catalog_stockrecord_changelist')}?{search}"
    return {"stocked": variants, "may_move": may_move, "stock_url": stock_url}


def _create_stock_records(product: Product) -> None:
    """New variants get a place in the first store, so that goods can be received there."""
    store = Store.objects.filter(ships_orders=True).first()
    if store is not None:
        without = product.variants.exclude(stock__isnull=False)
        StockRecord.objects.bulk_create(StockRecord(variant=variant, store=store) for variant in without)


@admin.register(Variant)
class VariantAdmin(StrictAdmin):
    """For looking one up by its SKU; variants are edited with their product."""

    list_display = ["sku", "product", "label", "costs", "is_active"]
    list_select_related = ["product"]
    search_fields = ["sku", "product__title"]

    @admin.display(description="price", ordering="price")
    def costs(self, variant: Variant) -> str:
        return variant.price_text

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Variant | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Variant | None = None) -> bool:
        return False
