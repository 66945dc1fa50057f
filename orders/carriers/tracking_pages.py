"""The address of a carrier's page for one parcel: a template in which `{number}` stands for the parcel's number."""

from urllib.parse import SplitResult, quote, urlsplit

PLACEHOLDER = "{number}"
LONGEST_ADDRESS = 300
SITE_ALONE = "Between https:// and the next / stands the carrier’s site alone."


def fill_url_template(template: str, number: str) -> str:
    """Empty without a template or a number. Nothing else in the template is read as a placeholder."""
    typed = number.strip()
    return template.replace(PLACEHOLDER, quote(typed, safe="")) if template and typed else ""


def find_template_problem(template: str) -> str:
    """Why customers cannot be sent there, in a sentence for staff; empty for a template that is right."""
    problem = find_address_problem(template)
    if problem or "{" in urlsplit(template).netloc:
        return problem or SITE_ALONE
    if template.count(PLACEHOLDER) != 1 or set("{}") & set(template.replace(PLACEHOLDER, "")):
        return "Put {number} once, where the parcel’s number stands in the address, and no other braces."
    return ""


def find_address_problem(address: str) -> str:
    """As `find_template_problem`, for the whole address of one parcel's page."""
    parts = _split(address)
    if not address.isascii() or any(mark.isspace() or not mark.isprintable() for mark in address):
        return "An address has no spaces and no letters but a to z. Copy it from your browser."
    if parts is None or parts.scheme != "https" or not parts.hostname or "." not in parts.hostname:
        return "It must begin with https:// and the carrier’s own site."
    return SITE_ALONE if "@" in parts.netloc else ""


def _split(template: str) -> SplitResult | None:
    try:
        return urlsplit(template)
    except ValueError:
        return None
