"""Files that must be whole: replaced in one step, or added to by whole lines, on the disk before the caller goes on."""

import fcntl
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def write_file(path: Path, chunks: Iterable[bytes], *, mode: int = 0o600) -> None:
    """Puts a new file at `path`, or in the place of the one there, whole or not at all.

    Raises OSError, and leaves what was there, when the disk is full or cannot be written.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_to_disk(path.parent)


def append_lines(path: Path, lines: bytes, *, mode: int = 0o600) -> None:
    """Adds whole lines at the end of a file that several processes write to, made where there is none.

    Raises OSError, and adds nothing, when the disk is full or cannot be written. What an earlier writer left torn at
    the end gets an end of its own, so that it spoils no line of ours.
    """
    is_new = not path.exists()
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, mode)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        end = os.fstat(file).st_size
        is_torn = end > 0 and os.pread(file, 1, end - 1) != b"\n"
        try:
            _write_all(file, b"\n" + lines if is_torn else lines)
            os.fsync(file)
        except OSError:
            os.ftruncate(file, end)
            raise
    finally:
        os.close(file)
    if is_new:
        sync_to_disk(path.parent)


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def sync_to_disk(path: Path) -> None:
    """Puts a file on the disk, or the names in a folder: a new name is there for good only once its folder is."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
