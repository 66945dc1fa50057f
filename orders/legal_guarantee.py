"""The legal guarantee of conformity: where its notice is due, before an order and in its confirmation.

Directive 2011/83/EU, articles 6(1)(l), 8 and 22a, as Directive (EU) 2024/825 has them; the notice itself is that of
Implementing Regulation (EU) 2025/1960, in force from 27 September 2026.
"""

from orders.customs import EU_MEMBERS

YEARS_AFTER_REPAIR = 1  # article 10a of the same, as Directive (EU) 2024/1799 has it, once
LEAST_YEARS = 2  # Directive (EU) 2019/771, article 10(1); some countries give longer
YOUR_EUROPE_URL = "https://europa.eu/youreurope/citizens/consumers/shopping/guarantees-returns/index_en.htm"


def is_notice_due(country: str) -> bool:
    """Whether a buyer there, an ISO code, has to be shown it: the goods go to a member state."""
    return country in EU_MEMBERS
