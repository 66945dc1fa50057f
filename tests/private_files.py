"""Where a test's private files lie: pictures of returns, labels, copies of somebody's data."""

from pathlib import Path
from typing import Any


def keep_private_files_in(folder: Path, settings: Any) -> None:
    """For as long as the fixture `settings` holds."""
    private = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}
    settings.STORAGES = {**settings.STORAGES, "private": private}
