"""The command that judges promised dates on a file of deliveries."""

import gzip
import json
import os
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

HEADER = "shipment,lane_country,mode,promised_on,delivered_on"
FILE = "deliveries/deliveries_to_2012.csv.gz"


def write_file(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "deliveries.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def make_rows(count: int, *, lane: str = "Kenya,Air", first: date = date(2020, 1, 1)) -> list[str]:
    """One a day; every fifth five days late."""
    rows = []
    for number in range(count):
        promised = first + timedelta(days=number)
        rows.append(f"{lane[:2]}{number},{lane},{promised},{promised + timedelta(days=5 * (number % 5 == 0))}")
    return rows


def run(path: Path, since: str = "2020-06-01", *options: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("backtest_promises", str(path), "--from", since, *options, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_figures_come_as_json(tmp_path):
    rows = [*make_rows(400), *make_rows(200, lane="Peru,Ocean")]
    report = json.loads(run(write_file(tmp_path, *rows), "2020-06-01", "--json")[0])
    assert set(report) == {"lanes", "pooled", "added_days"}
    assert [(lane["lane"], lane["n"]) for lane in report["lanes"]] == [("Kenya, Air", 248), ("Peru, Ocean", 48)]
    assert all(set(lane) == {"lane", "n", "coverage"} for lane in report["lanes"])
    shares = [lane["coverage"] * lane["n"] for lane in report["lanes"]]
    assert report["pooled"] == pytest.approx(sum(shares) / 296, abs=1e-3)
    assert 0 < report["added_days"] <= 5


def test_the_figures_come_as_a_table(tmp_path):
    out, err = run(write_file(tmp_path, *make_rows(400)))
    assert "Kenya, Air" in out
    assert "80%" in out, "held as promised before"
    assert "Lanes of 100 or more: 1;" in out
    assert err == ""


def test_rows_that_cannot_be_used_are_named_and_the_rest_goes_on(tmp_path):
    rows = make_rows(300)
    rows[1:1] = [
        "a,Kenya,Air,2020-02-30,2020-03-01",
        "b,Kenya,Air,2020-02-03,soon",
        "c,,Air,2020-02-03,2020-02-03",
        "d,Kenya,Air,,2020-02-03",
        "e,Kenya,Air,2020-02-03,2999-01-01",
        "Ke0,Kenya,Air,2020-02-03,2020-02-03",
        "f,Kenya,Air",
    ]
    out, err = run(write_file(tmp_path, *rows), "2020-06-01", "--json")
    assert json.loads(out)["lanes"][0]["n"] == 148
    lines = err.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"Row {number}" for number in range(3, 10)]
    assert "“2020-02-30” is no date such as" in lines[0]
    assert "delivered_on “soon”" in lines[1]
    assert lines[2].endswith("has no lane_country")
    assert lines[3].endswith("has no promised_on")
    assert "lies in the future" in lines[4]
    assert "“Ke0” stands above already" in lines[5]
    assert "has 3 cells" in lines[6]


def test_what_is_on_the_way_is_not_scored_and_a_mode_may_be_missing(tmp_path):
    rows = [*make_rows(300, lane="Kenya,"), "last,Kenya,,2020-10-30,"]
    out, err = run(write_file(tmp_path, *rows))
    assert err == ""
    assert "Kenya  " in out
    assert "Still on the way and not scored: 1." in out


def test_a_file_without_a_usable_row_is_refused(tmp_path):
    with pytest.raises(CommandError, match=r"no usable row below its first line\.$"):
        run(write_file(tmp_path))
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(CommandError, match=r"empty\.csv is empty\.$"):
        run(tmp_path / "empty.csv")


def test_a_day_after_everything_is_refused(tmp_path):
    with pytest.raises(CommandError, match=r"promised for 2024-01-01 or later: choose an earlier --from\.$"):
        run(write_file(tmp_path, *make_rows(50)), "2024-01-01")
    with pytest.raises(CommandError, match="'yesterday' is no date such as 2012-01-31"):
        run(write_file(tmp_path, *make_rows(50)), "yesterday")


def test_other_columns_are_named(tmp_path):
    with pytest.raises(CommandError, match=r"no column delivered_on\. The first line lacks: delivered_on\.$"):
        run(write_file(tmp_path, header="shipment,lane_country,mode,promised_on,arrived"))
    rows = [f"{row},heavy" for row in make_rows(300)]
    _, err = run(write_file(tmp_path, *rows, header=f"{HEADER},remark"))
    assert err.splitlines() == ["Columns that nothing reads: remark"]


@pytest.mark.parametrize(
    ("since", "calibrated", "most_days"), [("2009-01-01", 9, 5.0), ("2010-01-01", 7, 6.4), ("2011-01-01", 2, 9.0)]
)
def test_a_real_history_holds_nine_times_in_ten(since, calibrated, most_days):
    """Bulk freight, whose lanes change within months. `calibrated`: of 13, 10 and 2 lanes."""
    folder = os.environ.get("SHARED_DATA")
    if not folder or not (Path(folder) / FILE).exists():
        pytest.skip(f"not run: SHARED_DATA is not set, or has no {FILE}")
    out, err = run(Path(folder) / FILE, since, "--json")
    assert err == ""
    report = json.loads(out)
    large = [lane for lane in report["lanes"] if lane["n"] >= 100]
    assert sum(0.86 <= lane["coverage"] <= 0.94 for lane in large) >= calibrated
    assert 0.88 <= report["pooled"] <= 0.92
    assert 0 < report["added_days"] <= most_days


def test_a_packed_file_is_read_as_it_is(tmp_path):
    plain = write_file(tmp_path, *make_rows(300))
    packed = tmp_path / "deliveries.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert run(packed) == run(plain)
