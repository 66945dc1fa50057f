"""What happens to goods, written down with the change itself: in its transaction, and after its UPDATE."""

from collections.abc import Iterable, Mapping

from django.db import connection

from shop.catalog.models import CatalogEvent, Product

# Of the records that gained goods: variants of which nothing was free before, in any store that ships.
_RESTOCKED = """
INSERT INTO catalog_catalogevent (kind, data, created_at, product_id, variant_id)
SELECT 'restocked', '{}', clock_timestamp(), v.product_id, v.id
FROM unnest(%s::bigint[], %s::integer[]) AS gained (record_id, quantity)
JOIN catalog_stockrecord r ON r.id = gained.record_id
JOIN catalog_store t ON t.id = r.store_id AND t.ships_orders
JOIN catalog_variant v ON v.id = r.variant_id
WHERE r.on_hand > r.allocated AND r.on_hand - gained.quantity <= r.allocated
  AND NOT EXISTS (
    SELECT 1 FROM catalog_stockrecord other JOIN catalog_store s ON s.id = other.store_id AND s.ships_orders
    WHERE other.variant_id = r.variant_id AND other.id <> r.id AND other.on_hand > other.allocated)
ORDER BY v.id
"""


def record_restocks(gained: Mapping[int, int]) -> None:
    """After stock records gained free goods, `{record id: quantity}`: those of which there was none are back.

    Two stores that are filled in the same moment may both say so.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RESTOCKED, [list(gained), list(gained.values())])


def record_releases(product_ids: Iterable[int]) -> None:
    """After products were published or made: each is released once, however often it leaves the shop and comes back."""
    published = Product.objects.filter(pk__in=list(product_ids), is_published=True).exclude(
        events__kind=CatalogEvent.Kind.RELEASED
    )
    CatalogEvent.objects.bulk_create(
        (CatalogEvent(kind=CatalogEvent.Kind.RELEASED, product_id=pk) for pk in published.values_list("pk", flat=True)),
        ignore_conflicts=True,
    )
