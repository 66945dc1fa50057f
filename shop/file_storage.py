"""Uploaded pictures and customers' copies: a file is under its name whole, or not at all."""

import uuid
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible

from shop.durable_files import sync_to_disk


@deconstructible(path="shop.file_storage.DurableFileStorage")
class DurableFileStorage(FileSystemStorage):
    """Django's own, but for a disk that fills while a file is written: nothing of it stays, and no half is served."""

    def _save(self, name: str, content: Any) -> str:
        """Raises OSError when the disk is full. A name that is taken meanwhile gets another, as Django's does."""
        unfinished = f"{name}.{uuid.uuid4().hex}.part"
        try:
            super()._save(unfinished, content)  # type: ignore[misc]  # a hook its stubs leave out
            sync_to_disk(Path(self.path(unfinished)))
            return self._link(unfinished, name)
        finally:
            self.delete(unfinished)

    def _link(self, unfinished: str, name: str) -> str:
        while True:
            try:
                Path(self.path(name)).hardlink_to(self.path(unfinished))
            except FileExistsError:
                name = self.get_available_name(name)
            else:
                sync_to_disk(Path(self.path(name)).parent)
                return name
