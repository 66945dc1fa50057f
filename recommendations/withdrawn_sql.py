"""What the published epoch counted and may not be used any more: for serving to hide, at once.

Found by what changed since the epoch began, so that the cost follows the changes and not the purchases. The job in
`training` compares states instead, and misses nothing.
"""

from typing import Any

from accounts.consent import consent, purposes

# To stand first in a shelf's statement. `run`: the current epoch. `lost`: customers with the products they bought that
# must not tell anything any more, since they answered anew, or marked, cancelled or disowned what they bought.
# A forgetting that was taken back hides all the same until the next epoch: what comes back waits for that.
# A change counts from a few seconds before the epoch began: it may have been on its way then. (Ranges with an end:
# the planner takes them for the few rows that they are.)
WITHDRAWN_SQL = """
    run AS MATERIALIZED (
        SELECT id, clock_on, created_at - interval '5 seconds' AS since
        FROM recommendations_modelrun WHERE is_current LIMIT 1),
    lost AS MATERIALIZED (
        SELECT a.customer_id, a.product_id FROM accounts_consent c
        JOIN recommendations_contribution a ON a.customer_id = c.customer_id AND a.consent_record_id <> c.record_id
        WHERE c.purpose = %(counted)s AND c.changed_at BETWEEN (SELECT since FROM run) AND 'infinity'
            AND a.run_id = (SELECT id FROM run)
        UNION
        SELECT a.customer_id, a.product_id FROM recommendations_contribution a
        WHERE a.run_id = (SELECT id FROM run) AND a.order_line_id = ANY(ARRAY(
            SELECT id FROM orders_orderline WHERE set_aside_at BETWEEN (SELECT since FROM run) AND 'infinity'))
        UNION
        SELECT a.customer_id, a.product_id FROM accounts_forgottenpast f
        JOIN recommendations_contribution a ON a.customer_id = f.customer_id AND a.bought_at <= f.before_at
            AND (f.after_at IS NULL OR a.bought_at > f.after_at)
        WHERE f.purpose = %(counted)s AND f.before_at BETWEEN (SELECT since FROM run) AND 'infinity'
            AND a.run_id = (SELECT id FROM run)
        UNION
        SELECT a.customer_id, a.product_id FROM recommendations_contribution a
        WHERE a.customer_id = %(supposed)s::bigint AND a.run_id = (SELECT id FROM run))"""


def get_withdrawn_parameters() -> dict[str, Any]:
    """The parameters of `WITHDRAWN_SQL`, a preview's supposed answer among them."""
    purpose = purposes.COUNT_IN_ALSO_BOUGHT
    return {"counted": purpose, "supposed": consent.find_customer_changed_by_overlay(purpose)}
