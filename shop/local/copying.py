"""Copies that every account can read and run, whatever modes a strict umask gave the originals."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path


def copy_tree(source: Path, target: Path, *, but_not: Sequence[str] = (), may_link: bool = False) -> None:
    """`may_link`: files nobody will change in place may be the same files under another name, which takes no time."""
    copy = link_or_copy if may_link else copy_file
    with world_readable_files():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(*but_not), copy_function=copy)
        for folder, _, _ in os.walk(target):  # they came with the modes of the originals
            Path(folder).chmod(0o755)


def copy_file(source: str | Path, target: str | Path) -> None:
    shutil.copyfile(source, target)
    is_program = Path(source).stat().st_mode & 0o111
    Path(target).chmod(0o755 if is_program else 0o644)


def link_or_copy(source: str | Path, target: str | Path) -> None:
    found = os.lstat(source)
    wanted = 0o005 if found.st_mode & 0o100 else 0o004
    if found.st_mode & wanted == wanted:
        with contextlib.suppress(OSError):  # another file system
            os.link(source, target, follow_symlinks=False)
            return
    copy_file(source, target)


@contextlib.contextmanager
def world_readable_files() -> Iterator[None]:
    """What is made inside the block can be read by every account."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)
