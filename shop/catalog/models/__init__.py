from shop.catalog.models.event import CatalogEvent
from shop.catalog.models.product import (
    Category,
    Maker,
    Product,
    ProductDemand,
    ProductImage,
    SearchCompound,
    SearchWord,
)
from shop.catalog.models.stock import StockMovement, StockRecord
from shop.catalog.models.store import OpeningHours, SpecialHours, Store
from shop.catalog.models.variant import Variant

__all__ = [
    "CatalogEvent",
    "Category",
    "Maker",
    "OpeningHours",
    "Product",
    "ProductDemand",
    "ProductImage",
    "SearchCompound",
    "SearchWord",
    "SpecialHours",
    "StockMovement",
    "StockRecord",
    "Store",
    "Variant",
]
