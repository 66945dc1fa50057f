from django.db import migrations, models

# What `shop.catalog.listing` writes from here on, for the products that are there.
_INDEX = r"""
WITH plain AS MATERIALIZED (
    SELECT p.id,
           translate(lower(unaccent(p.title)), $$'’‘`´$$, '') AS title,
           translate(lower(unaccent(concat_ws(' ', m.name, c.name, parent.name, array_to_string(p.tags, ' ')))),
                     $$'’‘`´$$, '') AS shelf,
           translate(lower(unaccent(concat_ws(' ', p.summary, attributes.words, v.choices, v.skus,
                     'size ' || nullif(array_to_string(p.sizes, ' size '), '')))), $$'’‘`´$$, '') AS details,
           translate(lower(unaccent(v.choices)), $$'’‘`´$$, '') AS choices,
           translate(lower(unaccent(p.description)), $$'’‘`´$$, '') AS description
    FROM catalog_product p
    JOIN catalog_category c ON c.id = p.category_id
    LEFT JOIN catalog_category parent ON parent.id = c.parent_id
    LEFT JOIN catalog_maker m ON m.id = p.maker_id
    LEFT JOIN LATERAL (
        SELECT string_agg(DISTINCT concat_ws(' ', nullif(colour, ''), nullif(style, '')), ' ') AS choices,
               string_agg(sku, ' ') AS skus
        FROM catalog_variant WHERE product_id = p.id AND is_active
    ) v ON true
    LEFT JOIN LATERAL (
        SELECT string_agg(concat_ws(' ', key, value), ' ') AS words FROM jsonb_each_text(p.attributes)
    ) attributes ON true
), spaced AS MATERIALIZED (
    SELECT plain.id, part.name, regexp_replace(part.words, '[^[:alnum:]]+', ' ', 'g') AS words,
           regexp_replace(regexp_replace(regexp_replace(part.words, '(\w)[-.](?=\w)', '\1', 'g'),
               '[^[:alnum:]]+', ' ', 'g'), '\m([[:alpha:]]) (?=[[:alpha:]]{3})', '\1', 'g') AS closed,
           concat_ws(' a ', regexp_replace(part.words, '[^[:alnum:]]+', ' ', 'g'),
               CASE WHEN part.words ~ '\w[-.]\w' THEN regexp_replace(regexp_replace(part.words, '(\w)[-.](?=\w)',
                   '\1', 'g'), '[^[:alnum:]]+', ' ', 'g') END) AS both_ways
    FROM plain CROSS JOIN LATERAL (VALUES
        ('title', title), ('shelf', shelf), ('details', details), ('choices', nullif(choices, '')),
        ('description', description)) AS part (name, words)
), vectors AS (
    SELECT t.id, concat_ws(' | ', t.words, s.words, c.words, t.closed, s.closed) AS search_text,
           setweight(to_tsvector('english', concat_ws(' a ', t.words, t.closed)), 'A')
           || setweight(to_tsvector('english', concat_ws(' a ', s.words, s.closed)), 'B') AS title_vector,
           setweight(to_tsvector('english', d.both_ways), 'C') || setweight(to_tsvector('english', l.both_ways), 'D') AS rest
    FROM spaced t
    JOIN spaced s ON s.id = t.id AND s.name = 'shelf'
    JOIN spaced d ON d.id = t.id AND d.name = 'details'
    JOIN spaced c ON c.id = t.id AND c.name = 'choices'
    JOIN spaced l ON l.id = t.id AND l.name = 'description'
    WHERE t.name = 'title'
)
UPDATE catalog_product p
SET search_text = new.search_text, title_vector = new.title_vector, search_vector = new.title_vector || new.rest
FROM vectors new WHERE new.id = p.id
"""
_LEARN = r"""
WITH pairs AS MATERIALIZED (
    SELECT DISTINCT word, lead(word) OVER (PARTITION BY p.id, part.place ORDER BY written.place) AS next
    FROM catalog_product p
    CROSS JOIN regexp_split_to_table(p.search_text, '\|') WITH ORDINALITY AS part (words, place)
    CROSS JOIN regexp_split_to_table(part.words, '[^[:alnum:]]+') WITH ORDINALITY AS written (word, place)
    WHERE word <> ''
), compounds AS MATERIALIZED (
    SELECT word || next AS joined, (ts_lexize('english_stem', word || next))[1] AS stem, word, next FROM pairs
    WHERE length(word || next) BETWEEN 3 AND 40 AND NOT (word ~ '[0-9]$' AND next ~ '^[0-9]')
      AND ts_lexize('english_stem', word) <> '{}' AND ts_lexize('english_stem', next) <> '{}'
), learnt AS (
    INSERT INTO catalog_searchcompound (stem, first, second)
    SELECT stem, word, next FROM compounds WHERE stem IS NOT NULL
    ON CONFLICT DO NOTHING
)
INSERT INTO catalog_searchword (word)
SELECT word FROM pairs WHERE length(word) BETWEEN 3 AND 40 UNION SELECT joined FROM compounds
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0006_catalog_events")]

    operations = [
        migrations.CreateModel(
            name="SearchCompound",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first", models.CharField(max_length=40)),
                ("second", models.CharField(max_length=40)),
                ("stem", models.CharField(help_text="Of both as one word.", max_length=80)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("stem", "first", "second"), name="search_compound_once")
                ],
            },
        ),
        migrations.RunSQL(_INDEX, migrations.RunSQL.noop),
        migrations.RunSQL(_LEARN, migrations.RunSQL.noop),
    ]
