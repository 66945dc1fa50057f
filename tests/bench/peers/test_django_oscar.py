"""Ours beside django-oscar, as many goods in either, by turns in one run: `make bench-peers`.

As its documentation sets it up, at its best: no pictures, no offers, one category a product, and a payment that asks
nobody. Its search needs a server of its own and is left out.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.bench import building, meter, promises, steps
from tests.paying import standin, standin_process

__all__ = ["standin", "standin_process"]
pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("production_like")]

ROOT = Path(__file__).resolve().parents[3]
# treebeard: django-oscar 4.2.1 names no upper bound, and was made before its call changed
PACKAGES = ("django-oscar[sorl-thumbnail]==4.2.1", "django-treebeard<5", "Django==5.2.*", "psycopg2-binary")
PRODUCTS, ROUNDS = 20_000, 7
MEASURED = ("category", "product", "add to cart", "cart", "place order", "whole guest flow")
PROMISED = {"place order": 3, "whole guest flow": 4}  # at least so many times less CPU


class Peer:
    """The other shop, in a process of its own that answers a line with a line."""

    def __init__(self, python: Path, *, database: dict[str, Any], media: Path) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "PEER_DATABASE": json.dumps(database),
            "PEER_MEDIA": str(media),
            "DJANGO_SETTINGS_MODULE": "tests.bench.peers.oscar_settings",
            "PYTHONPATH": str(ROOT),
        }
        command = [str(python), "-m", "tests.bench.peers.oscar_worker", str(PRODUCTS)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def read(self) -> dict[str, float]:
        line = self.process.stdout.readline()
        assert line, "django-oscar gave up: what it said is with this error"
        answer: dict[str, float] = json.loads(line)
        return answer

    def measure_round(self) -> dict[str, float]:
        self.process.stdin.write("round\n")
        self.process.stdin.flush()
        return self.read()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


@pytest.fixture
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    if "BENCH_PEERS" not in os.environ:
        pytest.skip("not run: make bench-peers")
    python = install_peer(Path(os.environ["BENCH_PEERS"]))
    name = f"{connection.settings_dict['NAME']}_oscar"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    taken = {key: connection.settings_dict[key] for key in ("USER", "PASSWORD", "HOST", "PORT")}
    database = {**taken, "NAME": name, "CONN_MAX_AGE": None}
    other = Peer(python, database=database, media=tmp_path_factory.mktemp("media"))
    yield other
    other.close()


def install_peer(folder: Path) -> Path:
    """Its Python, in an environment of its own; skips the test where the package index is out of reach."""
    python = folder / "bin" / "python"
    commands = [[sys.executable, "-m", "venv", folder], [python, "-m", "pip", "install", "--quiet", *PACKAGES]]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"not run: django-oscar could not be installed: {done.stderr.strip().splitlines()[-1]}")
    return python


def test_a_guest_buys_with_a_quarter_of_what_django_oscar_takes(peer, standin, capsys):
    building.grow_shop(PRODUCTS)
    every = {**steps.list_anchors(), **steps.list_public_pages(), **steps.Buying(standin).list_steps()}
    ours = {name: every[name] for name in ("b", "b2", *MEASURED)}
    asked, other_asked = {name: meter.count_warm_statements(step) for name, step in ours.items()}, peer.read()
    took, other_took = measure_by_turns(ours, peer)
    times_less = {name: other_took[name] / took[name] for name in MEASURED}
    broken = [name for name, least in PROMISED.items() if times_less[name] < least]
    rows = [
        [
            name,
            f"{took[name]:.1f} ms",
            f"{other_took[name]:.1f} ms",
            f"{times_less[name]:.2f}" + (f" (≥ {PROMISED[name]})" if name in PROMISED else ""),
            f"{asked[name]}, {other_asked[name]}",
            "ratio" if name in broken else "–",
        ]
        for name in MEASURED
    ]
    anchored = f"b {took['b']:.1f} ms, b2 {took['b2']:.1f} ms"
    head = ("step", "ours", "django-oscar", "its CPU to ours", "SQL ours, its", "not kept")
    with capsys.disabled():
        promises.print_table(f"{PRODUCTS:,} products; {anchored}; load {os.getloadavg()[0]:.1f}", head, rows)
    assert broken == []


def measure_by_turns(ours: dict[str, meter.Step], peer: Peer) -> tuple[dict[str, float], dict[str, float]]:
    """Milliseconds of CPU, ours and its, of the median round."""
    rounds = [
        ({name: meter.measure_round(step).total for name, step in ours.items()}, peer.measure_round())
        for _ in range(ROUNDS)
    ]
    mine, its = (list(side) for side in zip(*rounds, strict=True))
    return _take_medians(mine), _take_medians(its)


def _take_medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(row[name] for row in rounds) for name in rounds[0]}
