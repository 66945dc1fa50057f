"""What root lays out for the account it becomes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shop.local.account import SystemAccount, get_servers_account
from shop.local.copying import copy_tree, world_readable_files
from shop.local.drop import prepare_layout
from shop.local.home import CHECKOUT, get_home

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops root")


@pytest.fixture
def account() -> SystemAccount:
    found = get_servers_account()
    assert found
    return found


@pytest.fixture
def folder(account: SystemAccount) -> Iterator[Path]:
    """One the account can enter, which pytest's own temporary folders are not."""
    made = get_home("tests").folder(f"drop-{os.getpid()}")
    yield made
    shutil.rmtree(made)


def test_a_copy_can_be_read_by_the_account_whatever_modes_the_original_has(
    folder: Path, account: SystemAccount
) -> None:
    original = folder / "original"
    (original / "inner").mkdir(parents=True, mode=0o700)
    (original / "inner" / "page.html").write_text("words")
    (original / "inner" / "page.html").chmod(0o600)
    (original / "cache").mkdir()
    original.chmod(0o700)

    copy_tree(original, folder / "copy", but_not=["cache"])

    read = subprocess.run(
        ["cat", folder / "copy" / "inner" / "page.html"], capture_output=True, check=True, **account.popen_arguments()
    )
    assert read.stdout == b"words"
    assert not (folder / "copy" / "cache").exists()


def test_the_account_can_run_the_shop_from_what_was_laid_out(folder: Path, account: SystemAccount) -> None:
    with world_readable_files():
        layout = prepare_layout(folder, account, shop="sample")

    asked = subprocess.run(
        [layout.python, "-c", "import os, shop.local.supervisor; print(os.getuid())"],
        cwd=layout.code,
        env={"PATH": os.defpath, **layout.loader},
        capture_output=True,
        text=True,
        check=True,
        **account.popen_arguments(),
    )
    assert int(asked.stdout) == account.uid
    if not layout.copied:
        assert (layout.python, layout.code) == (Path(sys.executable), CHECKOUT)
