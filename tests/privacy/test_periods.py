"""How long something is kept is said once: by the value that the job beside it goes by, and every sentence has it."""

import ast
import re
from collections.abc import Iterator
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path

import pytest

from accounts.consent.checkpoints import FILE_RETENTION
from accounts.consent.prompts import PROMPT_RETENTION
from accounts.consent.purposes import LOOKS_RETENTION
from accounts.models.access_record import ACCESS_RETENTION
from accounts.people.address_claims import CLAIM_RETENTION
from accounts.people.sessions import VISIT_RETENTION
from accounts.privacy.erasure import COOLING_OFF
from accounts.privacy.export import COPY_RETENTION
from orders.models.invoice import INVOICE_RETENTION
from orders.payments.stripe_feed import FEED_RETENTION
from shop.periods import Period

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("shop", "accounts", "orders", "notifications", "recommendations")
# What a stand-in for Stripe and the sample's histories say is theirs.
ELSEWHERE = ("migrations", "local", "sample", "periods.py")
NUMBERS = "one|two|three|four|five|six|seven|eight|nine|ten|twelve|thirteen|fourteen|thirty|sixty|ninety"
SPELLED = re.compile(rf"\b(?:\d+|{NUMBERS})[ -](?:days?|weeks?|months?|years?)\b", re.IGNORECASE)
# Nothing that is kept: the week a ceiling counts, a bank's days, how long goods last, what the engine looks at.
OTHER_THINGS = re.compile(
    r"(?:any|last|these) seven days|three to ten days|counts as one day"
    r"|four weeks|about nine months|for more than two years|interval '\d+ \w+'",
    re.IGNORECASE,
)


def find_spelled(text: str) -> list[str]:
    return SPELLED.findall(OTHER_THINGS.sub("", text))


def find_modules() -> Iterator[Path]:
    for room in ROOMS:
        yield from (
            path for path in (ROOT / room).rglob("*.py") if not set(ELSEWHERE) & set(path.relative_to(ROOT).parts)
        )


def find_texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_no_sentence_of_the_code_spells_a_period_by_hand():
    found = {
        str(path.relative_to(ROOT)): [text for text in find_texts(path) if find_spelled(text)]
        for path in find_modules()
    }
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_no_template_spells_a_period_by_hand():
    """Wherever the formatter breaks its line."""
    found = {
        str(path.relative_to(ROOT)): find_spelled(" ".join(path.read_text().split()))
        for path in (ROOT / "templates").rglob("*.*")
    }
    assert {name: spelled for name, spelled in found.items() if spelled} == {}


@pytest.mark.parametrize(
    "text", ["Kept for two years.", "Thirteen months, so that", "30 days, or until", "a 30-day visit"]
)
def test_a_period_spelled_by_hand_would_be_found(text):
    assert find_spelled(text)


def find_retention_names(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text()).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        yield from (target.id for target in targets if isinstance(target, ast.Name) and "RETENTION" in target.id)


def test_whatever_is_called_retention_is_a_period():
    wrong = []
    for path in find_modules():
        for name in find_retention_names(path):
            module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            if name != "RETENTION" and not isinstance(getattr(module, name), Period):
                wrong.append(f"{path.relative_to(ROOT)}: {name}")
    assert wrong == []


def test_no_job_that_deletes_by_age_counts_days_of_its_own():
    wrong = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in find_modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith(("retire", "_delete_old"))
        if "timedelta" in {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
    ]
    assert wrong == []


def test_a_visit_ends_when_its_sentence_says(settings):
    assert timedelta(seconds=settings.SESSION_COOKIE_AGE) == VISIT_RETENTION


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("data-protection", f"once a day, for {LOOKS_RETENTION}, and never in a preview"),
        ("data-protection", f"ends with all of it {LOOKS_RETENTION} after the tick"),
        ("data-protection", f"deleted after {COPY_RETENTION}"),
        ("data-protection", f"*in {COOLING_OFF}*"),
        ("data-protection", f"tax law: {INVOICE_RETENTION}"),
        ("data-protection", f"is deleted after {CLAIM_RETENTION}"),
        ("data-protection", f"The records go after {ACCESS_RETENTION}"),
        ("data-protection", f"a customer's for {PROMPT_RETENTION}"),
        ("data-protection", f"Files are kept for {FILE_RETENTION}"),
        ("runbook", f"Files older than {FILE_RETENTION}"),
        ("order-lifecycle", f"all the same, for {FEED_RETENTION}"),
    ],
)
def test_the_documents_say_it_in_the_same_words(document, sentence):
    assert sentence in " ".join((ROOT / "docs" / f"{document}.md").read_text().split())


@pytest.mark.parametrize(
    ("period", "words", "days"),
    [
        (Period(days=1), "one day", 1),
        (Period(days=30), "30 days", 30),
        (Period(weeks=2), "two weeks", 14),
        (Period(months=13), "thirteen months", 397),
        (Period(years=2), "two years", 731),
        (Period(years=6), "six years", 2192),
    ],
)
def test_a_period_says_what_it_lasts(period, words, days):
    assert (str(period), f"{period}", period.days) == (words, words, days)


@pytest.mark.parametrize("years", [1, 2, 3, 4, 6])
def test_no_year_in_which_it_begins_makes_a_period_too_short(years):
    for year in range(2024, 2032):
        for begins in (date(year, 1, 1), date(year, 2, 28), date(year, 3, 1), date(year, 12, 31)):
            assert begins + Period(years=years) >= begins.replace(year=year + years)


@pytest.mark.parametrize("month", range(1, 13))
def test_no_month_in_which_it_begins_makes_a_period_too_short(month):
    for year in range(2024, 2028):
        begins, turn = date(year, month, 1), month == 12
        assert begins + Period(months=13) >= date(year + 1 + turn, 1 if turn else month + 1, 1)
