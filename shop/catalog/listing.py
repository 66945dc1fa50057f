"""Keeps what cards, facets and search read on each product's row, and the words that mistyped ones are corrected to.

Set-based: one UPDATE for however many products, rows that would not change left alone.
"""

from collections.abc import Iterable, Sequence

from django.db import connection

from shop.catalog.models import Product
from shop.catalog.unit_prices import write_base_price_sql, write_base_sql
from shop.retrying import loops
from shop.retrying.loops import Loop

BATCH = 2000  # products in one UPDATE: keeps its locks short

INDEXING = loops.register_loop(
    Loop(
        "indexing",
        "What search and lists know of product",
        "The product is shown and found as it was before it was changed. Often its description is far too long: "
        "shorten it and save.",
        model="catalog.product",
    )
)
STOCK_FLAGS = loops.register_loop(
    Loop(
        "stock_flags",
        "Whether product is in stock, on cards",
        "Its card may say in stock when it is not, or the other way round; its own page and the cart are right.",
        model="catalog.product",
    )
)

_IN_STOCK = """bool_or(r.on_hand > r.allocated) AS is_available,
           coalesce(array_agg(DISTINCT a.size) FILTER (WHERE a.size <> '' AND r.on_hand > r.allocated), '{}')
               AS sizes_in_stock"""


def _write_plain(text: str) -> str:
    """SQL: in lower case, without accents and apostrophes."""
    return f"translate(lower(unaccent({text})), $$'’‘`´$$, '')"


def _write_spaced(text: str) -> str:
    """SQL: letters and digits alone, as `shop.catalog.search_correction.split_words` has them: “SET/6” is set and 6."""
    return f"regexp_replace({text}, '[^[:alnum:]]+', ' ', 'g')"


def _write_closed(text: str) -> str:
    """SQL: with gaps inside words closed: “T-light” and “T light” are tlight too."""
    closed = rf"regexp_replace({text}, '(\w)[-.](?=\w)', '\1', 'g')"
    return rf"regexp_replace({_write_spaced(closed)}, '\m([[:alpha:]]) (?=[[:alpha:]]{{3}})', '\1', 'g')"


def _write_both(text: str) -> str:
    """SQL: as it is written and, where words have hyphens or points inside, with those closed too."""
    closed = rf"regexp_replace({text}, '(\w)[-.](?=\w)', '\1', 'g')"
    both = f"concat_ws({_APART}, {_write_spaced(text)}, {_write_spaced(closed)})"
    return rf"(CASE WHEN {text} ~ '\w[-.]\w' THEN {both} ELSE {_write_spaced(text)} END)"


# Only where every option is measured alike: socks by the pair and by the metre have no price of either in common.
_BASE = write_base_sql("sold")
_IF_ALIKE = f"CASE WHEN min({_BASE}) = max({_BASE}) AND count(content_amount) = count(*) THEN {{}} END"
_UNIT_PRICES = ", ".join(
    f"{_IF_ALIKE.format(found)} AS {name}"
    for name, found in {
        "unit_price_from": f"min({write_base_price_sql('sold')})",
        "unit_price_to": f"max({write_base_price_sql('sold')})",
        "price_unit": f"min({_BASE})",
    }.items()
)
_APART = "' a '"  # keeps a phrase from running over the seam: a word that is passed over, but has its place
_FACTS = f"""
SELECT p.id,
       coalesce(v.price_from, 0) AS price_from,
       coalesce(v.price_to, 0) AS price_to,
       coalesce(v.currency, p.currency) AS currency,
       v.unit_price_from,
       v.unit_price_to,
       coalesce(v.price_unit, '') AS price_unit,
       coalesce(v.sizes, '{{}}') AS sizes,
       coalesce(s.is_available, false) AS is_available,
       coalesce(s.sizes_in_stock, '{{}}') AS sizes_in_stock,
       coalesce(i.file, '') AS card_image,
       coalesce(i.alt, '') AS card_alt,
       joined.words AS search_text,
       vectors.title_vector,
       vectors.title_vector
       || setweight(to_tsvector('english', {_write_both("concat_ws(' ', w.details, w.sizes)")}), 'C')
       || setweight(to_tsvector('english', {_write_both("w.description")}), 'D') AS search_vector
FROM catalog_product p
JOIN catalog_category c ON c.id = p.category_id
LEFT JOIN catalog_category parent ON parent.id = c.parent_id
LEFT JOIN catalog_maker m ON m.id = p.maker_id
LEFT JOIN LATERAL (
    SELECT min(price) AS price_from, max(price) AS price_to, min(currency) AS currency, {_UNIT_PRICES},
           array_agg(DISTINCT size) FILTER (WHERE size <> '') AS sizes,
           string_agg(DISTINCT concat_ws(' ', nullif(colour, ''), nullif(style, '')), ' ') AS choices,
           string_agg(sku, ' ') AS skus
    FROM catalog_variant sold WHERE product_id = p.id AND is_active
) v ON true
LEFT JOIN LATERAL (
    SELECT {_IN_STOCK}
    FROM catalog_stockrecord r JOIN catalog_variant a ON a.id = r.variant_id JOIN catalog_store t ON t.id = r.store_id
    WHERE a.product_id = p.id AND a.is_active AND t.ships_orders
) s ON true
LEFT JOIN LATERAL (
    SELECT file, alt FROM catalog_productimage WHERE product_id = p.id ORDER BY position, id LIMIT 1
) i ON true
LEFT JOIN LATERAL (
    SELECT string_agg(concat_ws(' ', key, value), ' ') AS words FROM jsonb_each_text(p.attributes)
) attributes ON true
CROSS JOIN LATERAL (
    SELECT {_write_plain("p.title")} AS title,
           {_write_plain("concat_ws(' ', m.name, c.name, parent.name, array_to_string(p.tags, ' '))")} AS shelf,
           {_write_plain("concat_ws(' ', p.summary, attributes.words, v.choices, v.skus)")} AS details,
           {_write_plain("'size ' || array_to_string(v.sizes, ' size ')")} AS sizes,
           {_write_plain("p.description")} AS description,
           nullif({_write_plain("v.choices")}, '') AS choices
) w
CROSS JOIN LATERAL (
    SELECT concat_ws({_APART}, {_write_spaced("w.title")}, {_write_closed("w.title")}) AS title,
           concat_ws({_APART}, {_write_spaced("w.shelf")}, {_write_closed("w.shelf")}) AS shelf,
           concat_ws(' | ', {_write_spaced("w.title")}, {_write_spaced("w.shelf")}, {_write_spaced("w.choices")},
               {_write_closed("w.title")}, {_write_closed("w.shelf")}) AS words
) joined
CROSS JOIN LATERAL (
    SELECT setweight(to_tsvector('english', joined.title), 'A')
           || setweight(to_tsvector('english', joined.shelf), 'B') AS title_vector
) vectors
WHERE p.id = ANY(%s)
"""  # noqa: S608  (SQL of ours)

_COLUMNS = (
    "price_from",
    "price_to",
    "currency",
    "unit_price_from",
    "unit_price_to",
    "price_unit",
    "sizes",
    "is_available",
    "sizes_in_stock",
    "card_image",
    "card_alt",
    "search_text",
    "title_vector",
    "search_vector",
)
_REFRESH = f"""
WITH new AS MATERIALIZED ({_FACTS})
UPDATE catalog_product p SET {", ".join(f"{name} = new.{name}" for name in _COLUMNS)}
FROM new
WHERE p.id = new.id
  AND ({", ".join(f"p.{name}" for name in _COLUMNS)}) IS DISTINCT FROM ({", ".join(f"new.{name}" for name in _COLUMNS)})
"""  # noqa: S608  (column names of ours; materialized, or the vector would be made twice)

# In order, so that two that learn the same words wait for each other and never in a circle.
_LEARN_WORDS = """
WITH pairs AS MATERIALIZED (
    SELECT DISTINCT word, lead(word) OVER (PARTITION BY p.id, part.place ORDER BY written.place) AS next
    FROM catalog_product p
    CROSS JOIN regexp_split_to_table(p.search_text, '\\|') WITH ORDINALITY AS part (words, place)
    CROSS JOIN regexp_split_to_table(part.words, '[^[:alnum:]]+') WITH ORDINALITY AS written (word, place)
    WHERE p.id = ANY(%s) AND word <> ''
), compounds AS MATERIALIZED (
    SELECT word || next AS joined, (ts_lexize('english_stem', word || next))[1] AS stem, word, next FROM pairs
    WHERE length(word || next) BETWEEN 3 AND 40 AND NOT (word ~ '[0-9]$' AND next ~ '^[0-9]')
      AND ts_lexize('english_stem', word) <> '{}' AND ts_lexize('english_stem', next) <> '{}'
), learnt AS (
    INSERT INTO catalog_searchcompound (stem, first, second)
    SELECT stem, word, next FROM compounds WHERE stem IS NOT NULL ORDER BY stem, word, next
    ON CONFLICT DO NOTHING
)
INSERT INTO catalog_searchword (word)
SELECT word FROM pairs WHERE length(word) BETWEEN 3 AND 40
UNION
SELECT joined FROM compounds
ORDER BY word
ON CONFLICT DO NOTHING
"""

_STOCK = """(
    SELECT a.product_id AS id, {in_stock}
    FROM catalog_stockrecord r JOIN catalog_variant a ON a.id = r.variant_id JOIN catalog_store t ON t.id = r.store_id
    WHERE a.is_active AND t.ships_orders {which}
    GROUP BY a.product_id
) new"""
_OF_RECORDS = """AND a.product_id IN (
        SELECT b.product_id FROM catalog_stockrecord q JOIN catalog_variant b ON b.id = q.variant_id
        WHERE q.id = ANY(%s))"""
_OF_PRODUCTS = "AND a.product_id = ANY(%s)"
_IS_WRONG = "(p.is_available, p.sizes_in_stock) IS DISTINCT FROM (new.is_available, new.sizes_in_stock)"
_SET_FLAGS = f"""
UPDATE catalog_product p SET is_available = new.is_available, sizes_in_stock = new.sizes_in_stock
FROM {{stock}}
WHERE p.id = new.id AND {_IS_WRONG}
"""  # noqa: S608
_RECHECK_RECORDS = _SET_FLAGS.format(stock=_STOCK.format(in_stock=_IN_STOCK, which=_OF_RECORDS))
_RECHECK_PRODUCTS = _SET_FLAGS.format(stock=_STOCK.format(in_stock=_IN_STOCK, which=_OF_PRODUCTS))
_WRONG_FLAGS = f"""
SELECT p.id FROM catalog_product p JOIN {_STOCK.format(in_stock=_IN_STOCK, which="")} ON p.id = new.id
WHERE {_IS_WRONG} ORDER BY p.id
"""  # noqa: S608


def refresh_listings(product_ids: Iterable[int] | None = None) -> None:
    """After products, variants, pictures, or the names of makers and categories were written. None: every product.

    A product that cannot be indexed is put off, keeps no other waiting, and is tried again by `recheck_stock`.
    """
    ids = sorted(set(product_ids)) if product_ids is not None else _read_all_product_ids()
    if len(ids) > BATCH:
        analyze_catalog_tables()  # fresh rows without statistics made this fifty times slower
    for start in range(0, len(ids), BATCH):
        INDEXING.run_batch(ids[start : start + BATCH], _refresh_batch)


def _refresh_batch(ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH, [list(ids)])
        cursor.execute(_LEARN_WORDS, [list(ids)])


def _read_all_product_ids() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM catalog_product ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def analyze_catalog_tables() -> None:
    """After many rows were written: fresh statistics, and no backlog in the search indexes."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_product, catalog_variant, catalog_stockrecord, catalog_productimage")
        for index in ("product_search", "product_search_titles", "search_word_typos"):
            cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [index])


def update_stock_flags(*, record_ids: list[int] | None = None) -> None:
    """Brings `is_available` and `sizes_in_stock` in line with the stock: writes only what sold out or came back.

    None: every product.
    """
    if record_ids is None:
        _update_all_stock_flags()
        return
    with connection.cursor() as cursor:
        cursor.execute(_RECHECK_RECORDS, [record_ids])


def _update_all_stock_flags() -> None:
    """One that cannot be written is put off; what could not be indexed before is tried again."""
    with connection.cursor() as cursor:
        cursor.execute(_WRONG_FLAGS)
        wrong = [row[0] for row in cursor.fetchall()]
    waiting = STOCK_FLAGS.waiting_items()
    STOCK_FLAGS.run_batch([pk for pk in wrong if str(pk) not in waiting], _set_stock_flags)
    STOCK_FLAGS.forget_settled(Product.objects.filter(pk__in=wrong))
    INDEXING.forget_settled(Product.objects.all())
    refresh_listings(int(item) for item in INDEXING.items_to_retry())


def _set_stock_flags(product_ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_RECHECK_PRODUCTS, [list(product_ids)])
