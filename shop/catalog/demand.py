"""What sells well, as far as lists may know it."""

from collections.abc import Mapping

from django.db import connection

from shop.catalog.models import ProductDemand


def replace_demand(scores: Mapping[int, float]) -> None:
    """Keeps these scores, by product, and no others. Call it in a transaction.

    Whoever counts them answers for it that enough people stand behind each.
    """
    ProductDemand.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO catalog_productdemand (product_id, score)"
            " SELECT given.id, given.score FROM unnest(%s::bigint[], %s::float8[]) AS given (id, score)"
            " JOIN catalog_product p ON p.id = given.id"
            " ON CONFLICT (product_id) DO UPDATE SET score = excluded.score",
            [list(scores), list(scores.values())],
        )
