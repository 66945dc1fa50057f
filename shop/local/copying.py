"""Copies that every account can read and run, whatever modes a strict umask gave the originals."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path


def copy_tree(source: Path, target: Path, *, but_not: Sequence[str] = ()) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*but_not), copy_function=copy_file)
    let_all_enter(target)


def let_all_enter(tree: Path) -> None:
    for folder, _, _ in os.walk(tree):
        Path(folder).chmod(0o755)


def copy_file(source: str | Path, target: str | Path) -> None:
    shutil.copyfile(source, target)
    is_program = Path(source).stat().st_mode & 0o111
    Path(target).chmod(0o755 if is_program else 0o644)
