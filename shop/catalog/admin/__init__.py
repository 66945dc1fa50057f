from shop.catalog.admin.goods import CategoryAdmin, MakerAdmin, ProductAdmin, VariantAdmin
from shop.catalog.admin.stock import StockMovementAdmin, StockRecordAdmin
from shop.catalog.admin.store import StoreAdmin

__all__ = [
    "CategoryAdmin",
    "MakerAdmin",
    "ProductAdmin",
    "StockMovementAdmin",
    "StockRecordAdmin",
    "StoreAdmin",
    "VariantAdmin",
]
