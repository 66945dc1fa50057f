"""How the parts of a local shop are started."""

import os
import subprocess
from pathlib import Path

import pytest

from shop.local.environment import Ports
from shop.local.home import Home
from shop.local.parts import build_parts
from tests.reliability.stack import free_port

SECRETS = ("STRIPE_WEBHOOK_SECRET", "STRIPE_SECRET_KEY", "CARRIER_WEBHOOK_SECRET", "EASYPOST_API_KEY")


@pytest.mark.parametrize("name", ["stripe", "carrier"])
def test_a_secret_that_looks_like_an_option_is_a_secret(name, tmp_path: Path, monkeypatch) -> None:
    for service in ("STRIPE_SECRET_KEY", "EASYPOST_API_KEY"):
        monkeypatch.delenv(service, raising=False)
    environment = {**os.environ, **dict.fromkeys(SECRETS, "-drawn-by-chance")}
    ports = Ports(web=1, mailbox=2, stripe=free_port(), smtp=3, carrier=free_port())
    [part] = [part for part in build_parts(Home(tmp_path), ports, environment) if part.name == name]
    with subprocess.Popen(
        part.command, cwd=part.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.terminate()
    assert str(getattr(ports, name)) in said
