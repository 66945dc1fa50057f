"""Customers by the hundred thousand with their answers, put there by the set: what the ledger costs is not measured."""

from collections.abc import Sequence

from django.db import connection

from accounts.models import Customer

_CUSTOMERS = """
    INSERT INTO accounts_customer (email, email_proved_at, name, chain, created_at)
    SELECT 'reader' || n || '@example.com', now() - interval '1 year', '', gen_random_uuid(), now() - interval '1 year'
    FROM generate_series(%(first)s, %(last)s) AS n"""
# Whoever has none yet came after the last who has.
_RECORDS = """
    INSERT INTO accounts_consentrecord (chain, sequence, digest, head, seal)
    SELECT c.chain, place, '', '', '' FROM accounts_customer c CROSS JOIN generate_series(1, %(count)s) AS place
    WHERE c.user_id IS NULL AND c.id > coalesce((SELECT max(customer_id) FROM accounts_consent), 0)"""
_CONSENTS = """
    INSERT INTO accounts_consent
        (customer_id, purpose, granted, chosen, wording_version, source, record_id, changed_at)
    SELECT c.id, (%(purposes)s::varchar[])[r.sequence], is_yes, is_yes, 1, 'bench', r.id, now() - interval '1 year'
    FROM accounts_customer c JOIN accounts_consentrecord r ON r.chain = c.chain
    CROSS JOIN LATERAL (SELECT (c.id + r.sequence) %% 20 < 20 * %(share)s AS is_yes) answer
    WHERE c.user_id IS NULL AND c.id > coalesce((SELECT max(customer_id) FROM accounts_consent), 0)"""


def grow_crowd(customers: int, purposes: Sequence[str], *, share: float = 1.0) -> None:
    """Adds who is missing up to so many, each with an answer to every purpose; `share` of the answers is yes."""
    values = {
        "first": Customer.objects.count() + 1,
        "last": customers,
        "count": len(purposes),
        "purposes": list(purposes),
        "share": share,
    }
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # millions of keys are right as they are written
        for statement in (_CUSTOMERS, _RECORDS, _CONSENTS):
            cursor.execute(statement, values)
            cursor.execute("ANALYZE accounts_customer, accounts_consentrecord")
        cursor.execute("SET session_replication_role = origin")
