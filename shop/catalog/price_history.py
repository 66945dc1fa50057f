"""What something on sale cost before: a price said to be lowered stands beside the lowest of the time before.

Directive 98/6/EC, article 6a. The history is the catalog events that `shop.catalog.prices` writes with each change.
"""

DAYS = 30  # looked back over, and for as long a lowered price is called so

# SQL, of the variant `v`: the lowest price of the days before its last change, where that change was lately and lowered
# it below all that was asked in those days. Every price asked then is the old price of a change that followed it. Where
# some of them were in another currency, nothing is said.
PRIOR_PRICE = f"""
            SELECT min((e.data ->> 'old_price')::numeric) AS before
            FROM catalog_catalogevent e
            JOIN (SELECT c.id, c.created_at FROM catalog_catalogevent c
                  WHERE c.variant_id = v.id AND c.kind = 'price_changed' ORDER BY c.id DESC LIMIT 1) last
              ON last.created_at > now() - interval '{DAYS} days'
            WHERE e.variant_id = v.id AND e.kind = 'price_changed' AND e.id <= last.id
              AND e.created_at > last.created_at - interval '{DAYS} days'
            HAVING min((e.data ->> 'old_price')::numeric) > v.price
               AND bool_and(e.data ->> 'old_currency' = v.currency)
"""  # noqa: S608  (SQL of ours)
