"""The whole shop of the bench, of any size."""

from django.db import connection

from shop.storefront import page_cache
from tests.bench import goods, sales


def grow_shop(products: int) -> None:
    goods.grow_goods(products)
    sales.grow_sales()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as autovacuum would have done by now
    page_cache.clear()
