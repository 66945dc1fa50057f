"""evaluate_recommendations: both formats, three ways to ask, and no table touched."""

import csv
import gzip
import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

HEADER = "order_number,placed_at,customer,sku,title,quantity,unit_price,gift"
RETAIL_HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
CUTOFF = "2026-06-01"
TASKS = ["single", "single_history", "cart", "cart_history", "next", "next_new", "new"]


def sale(
    order: str, on: date, customer: str, sku: str, *, quantity: int = 1, price: str = "2.00", gift: str = "0"
) -> str:
    return f"{order},{on} 10:00,{customer},{sku},Thing {sku},{quantity},{price},{gift}"


def history(start: date = date(2026, 3, 1)) -> list[str]:
    """Ten customers buy tea, milk and sugar together every fortnight, and jam or bread besides."""
    lines = []
    for visit in range(8):
        for person in range(10):
            on = start + timedelta(days=14 * visit + person)
            goods = ["tea", "milk", "sugar", "jam" if person % 2 else "bread"]
            goods += ["honey"] if visit > 5 else []
            lines += [sale(f"{visit}-{person}", on, f"p{person}@example.com", sku) for sku in goods]
    return lines


def write(path, lines: list[str], header: str = HEADER):
    text = "\n".join([header, *lines]) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return str(path)


def read(path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def evaluate(*arguments: str) -> str:
    out = StringIO()
    call_command("evaluate_recommendations", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_every_task_is_judged_beside_best_sellers(tmp_path):
    path = write(tmp_path / "all.csv", history())
    report = json.loads(evaluate("--history", path, "--cutoff", CUTOFF, "--json"))
    assert list(report) == TASKS
    for task in TASKS:
        assert report[task]["queries"] > 0
        assert {"ndcg@10", "hr@10", "recall@10"} <= set(report[task]["ours"])
        assert report[task]["ours"].keys() == report[task]["popular"].keys()
    assert "hr@5" in report["new"]["ours"]
    assert report["cart"]["ours"]["hr@10"] == 1


def test_a_second_file_is_the_future_and_its_first_moment_the_cut_off(tmp_path):
    before = [line for line in history() if line.split(",")[1] < CUTOFF]
    after = [line for line in history() if line.split(",")[1] >= CUTOFF]
    whole = write(tmp_path / "all.csv", history())
    first, second = write(tmp_path / "a.csv.gz", before), write(tmp_path / "b.csv", after)
    first_moment = min(line.split(",")[1] for line in after)
    apart = evaluate("--history", first, "--future", second, "--json")
    assert json.loads(apart) == json.loads(evaluate("--history", whole, "--cutoff", first_moment, "--json"))


def test_predictions_are_twenty_ranks_at_most_and_never_what_was_given(tmp_path):
    path, out = write(tmp_path / "all.csv", history()), tmp_path / "out.csv"
    asked = write(
        tmp_path / "q.csv",
        [
            "q1,single,2026-06-01,,tea,",
            "q2,next,2026-06-01,p1@example.com,,",
            "q3,next_new,2026-06-01,p1@example.com,,",
            "q4,new,2026-05-01,p1@example.com,,honey marmalade",
            "q5,cart_history,2026-06-01,nobody@example.com,tea milk,",
        ],
        header="query,task,cutoff,customer,given,candidates",
    )
    evaluate("--history", path, "--queries", asked, "--predictions", str(out))
    found: dict[str, list[dict[str, str]]] = {}
    for line in read(out):
        found.setdefault(line["query"], []).append(line)
    skus = {name: [line["sku"] for line in lines] for name, lines in found.items()}
    assert set(skus["q1"][:2]) == {"milk", "sugar"}
    assert skus["q2"][0] in {"tea", "milk", "sugar", "jam"}
    assert skus["q3"] == ["bread"]
    assert sorted(skus["q4"]) == ["honey", "marmalade"]
    assert not {"tea", "milk"} & set(skus["q5"])
    for lines in found.values():
        assert [int(line["rank"]) for line in lines] == list(range(1, len(lines) + 1))
        assert len(lines) <= 20
        assert [float(line["score"]) for line in lines] == sorted(
            (float(line["score"]) for line in lines), reverse=True
        )


def test_an_answer_knows_nothing_after_its_own_cut_off(tmp_path):
    path, out = write(tmp_path / "all.csv", history()), tmp_path / "out.csv"
    header = "query,task,cutoff,customer,given,candidates"
    asked = write(tmp_path / "q.csv", ["q,single,2026-03-20,,tea,"], header=header)
    evaluate("--history", path, "--queries", asked, "--predictions", str(out))
    assert "honey" not in out.read_text()


def test_both_formats_are_told_by_their_header_and_cleaned(tmp_path):
    lines = [
        line
        for number in range(1, 7)
        for line in (
            f"5{number},85123A,HEART HOLDER,2,2011-0{number}-05 08:00,2.55,1785{number},United Kingdom",
            f"5{number},22423,CAKE STAND,2,2011-0{number}-05 08:00,2.55,1785{number},United Kingdom",
            f"5{number},POST,POSTAGE,1,2011-0{number}-05 08:00,18.00,1785{number},United Kingdom",
            f"5{number},22424,FREE CAKE,2,2011-0{number}-05 08:00,0,1785{number},United Kingdom",
            f"C5{number},22425,TEA POT,-2,2011-0{number}-05 08:00,2.55,1785{number},United Kingdom",
            f"6{number},22426,LOOSE CUP,2,2011-0{number}-05 08:00,2.55,,United Kingdom",
        )
    ]
    path = write(tmp_path / "retail.csv.gz", lines, header=RETAIL_HEADER)
    out = tmp_path / "out.csv"
    asked = write(
        tmp_path / "q.csv", ["q,single,2011-09-01,,22423,"], header="query,task,cutoff,customer,given,candidates"
    )
    evaluate("--history", path, "--queries", asked, "--predictions", str(out))
    assert [line["sku"] for line in read(out)] == ["85123A"]


def test_gifts_in_the_file_never_steer(tmp_path):
    lines = [
        sale(f"{person}", date(2026, 5, 1), f"p{person}", sku, gift="1" if sku == "jam" else "0")
        for person in range(8)
        for sku in ("tea", "milk", "jam")
    ]
    path, out = write(tmp_path / "all.csv", lines), tmp_path / "out.csv"
    header = "query,task,cutoff,customer,given,candidates"
    asked = write(tmp_path / "q.csv", ["q,single,2026-06-01,,tea,"], header=header)
    evaluate("--history", path, "--queries", asked, "--predictions", str(out))
    assert [line["sku"] for line in read(out)] == ["milk"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["q,guess,2026-06-01,,tea,"], "is no task"),
        (["q,single,yesterday,,tea,"], "is no date"),
    ],
)
def test_a_question_that_makes_no_sense_is_named_and_nothing_written(tmp_path, lines, message):
    path, out = write(tmp_path / "all.csv", history()), tmp_path / "out.csv"
    asked = write(tmp_path / "q.csv", lines, header="query,task,cutoff,customer,given,candidates")
    with pytest.raises(CommandError, match=message):
        evaluate("--history", path, "--queries", asked, "--predictions", str(out))
    assert not out.exists()


def test_a_file_of_neither_format_is_refused(tmp_path):
    path = write(tmp_path / "odd.csv", ["1,2"], header="this,that")
    with pytest.raises(CommandError, match="neither format"):
        evaluate("--history", path, "--cutoff", CUTOFF)
