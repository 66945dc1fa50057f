"""Every command that takes in a CSV file, each with a header, rows it takes, and a way to see which it took."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from django.core.management import call_command

from accounts.consent import purposes
from accounts.models import Consent, Customer
from orders.models import Order
from shop.catalog.models import Variant
from tests import builders

ORDERS_HEADER = "order_number,placed_at,customer,sku,title,quantity,unit_price,gift"
PEOPLE = ("ann@example.com", "ben@example.com", "cat@example.com")
HISTORY = [
    f"{visit}-{who},2026-0{visit}-01,{who},{sku},Thing,1,2.00,0"
    for visit in (3, 4, 5)
    for who in PEOPLE
    for sku in ("tea", "milk")
]


@dataclass(frozen=True)
class Desk:
    """`rows`: three that it takes. `long_cell`: the index of a text cell. `text_column`: its name."""

    name: str
    header: str
    rows: Sequence[str]
    long_cell: int
    run_file: Callable[[Path, Sequence[str]], tuple[str, str]]
    taken: Callable[[], set[str]]
    prepare: Callable[[], object] = field(default=lambda: None)

    def run(self, path: Path, *options: str) -> tuple[str, str]:
        """What the command said: stdout, stderr."""
        self.prepare()
        return self.run_file(path, options)

    def text(self, *rows: str) -> str:
        return "".join(f"{line}\r\n" for line in (self.header, *(rows or self.rows)))

    def with_cell(self, row: int, cell: str) -> str:
        cells = self.rows[row].split(",")
        cells[self.long_cell] = cell
        return ",".join(cells)


def say(*arguments: str) -> tuple[str, str]:
    out, errors = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=errors)
    return out.getvalue(), errors.getvalue()


def _run_goods(path: Path, options: Sequence[str]) -> tuple[str, str]:
    return say("import_catalog", str(path), *options)


def _run_orders(path: Path, options: Sequence[str]) -> tuple[str, str]:
    return say("import_orders", str(path), *options)


def _run_consents(path: Path, options: Sequence[str]) -> tuple[str, str]:
    """With a file of orders that is written like the consents: the options are for both."""
    how = dict(zip(options[::2], options[1::2], strict=True))
    delimiter = how.get("--delimiter", ",").replace("tab", "\t")
    orders = path.with_name("no-orders.csv")
    orders.write_bytes(f"{ORDERS_HEADER}\n".replace(",", delimiter).encode(how.get("--encoding", "utf-8")))
    return say("import_orders", str(orders), "--consents", str(path), *options)


def _run_history(path: Path, options: Sequence[str]) -> tuple[str, str]:
    say_json = ("--cutoff", "2026-05-01", "--k", "1", "--json")
    return say("evaluate_recommendations", "--history", str(path), *say_json, *options)


def _run_questions(path: Path, options: Sequence[str]) -> tuple[str, str]:
    how = dict(zip(options[::2], options[1::2], strict=True))
    delimiter = how.get("--delimiter", ",").replace("tab", "\t")
    history = path.with_name("history.csv")
    text = "\n".join([ORDERS_HEADER, *HISTORY]).replace(",", delimiter)
    history.write_bytes(text.encode(how.get("--encoding", "utf-8")))
    predictions = str(path.with_name("predictions.csv"))
    given = ("--history", str(history), "--queries", str(path), "--predictions", predictions, "--k", "1", "--json")
    out, errors = say("evaluate_recommendations", *given, *options)
    _answered.append({line.split(",")[0] for line in Path(predictions).read_text().splitlines()[1:]})
    return out, errors


_answered: list[set[str]] = []


def _make_people() -> None:
    for email in PEOPLE:
        if not Customer.objects.filter(email=email).exists():
            builders.customer(email)


GOODS = Desk(
    "goods",
    "sku,product,title,description,category,maker,price,stock",
    [
        "MUG,mug,Mug,Blue.,Table,Tarn,9.50,3",
        "COAT,coat,Coat,Warm.,Coats,Tarn,240.00,2",
        "HAT,hat,Hat,Soft.,Hats,,2.50,1",
    ],
    3,
    _run_goods,
    lambda: set(Variant.objects.values_list("sku", flat=True)),
)
ORDERS = Desk(
    "orders",
    ORDERS_HEADER,
    [
        "MUG,2026-03-01,ann@example.com,M,Mug,1,9.50,0",
        "COAT,2026-03-02,ben@example.com,C,Coat,1,240.00,0",
        "HAT,2026-03-03,cat@example.com,H,Hat,1,2.50,0",
    ],
    4,
    _run_orders,
    lambda: set(Order.objects.values_list("external_reference", flat=True)),
)
CONSENTS = Desk(
    "consents",
    "customer,purpose,granted,at,note",
    [f"{email},{purposes.COUNT_IN_ALSO_BOUGHT},yes,2026-03-01 10:00,said so" for email in PEOPLE],
    4,
    _run_consents,
    lambda: set(Consent.objects.values_list("customer__email", flat=True)),
    _make_people,
)
QUESTIONS = Desk(
    "questions",
    "query,task,cutoff,customer,given,candidates",
    [f"{name},single,2026-05-02,,tea," for name in ("MUG", "COAT", "HAT")],
    4,
    _run_questions,
    lambda: _answered[-1] if _answered else set(),
    _answered.clear,
)
DESKS = (GOODS, ORDERS, CONSENTS, QUESTIONS)
