"""Style sheets are written one file a component and served as one: what a sheet imports is written into it.

Where static files are not gathered, as in tests, a browser follows the imports itself.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

Sources = Mapping[str, tuple[Storage, str]]  # by the name it is served under: where it lies, and how it is called there

_IMPORT = re.compile(r'^@import "([^"]+)";\n', re.MULTILINE)


class JoinedSheetsStorage(CompressedManifestStaticFilesStorage):
    """Joins from the sources, each time: a sheet gathered last time is no older when only a component changed."""

    def post_process(self, paths: Sources, **options: Any) -> Iterator[tuple[str, str | None, Any]]:
        yield from super().post_process({**paths, **join_sheets(paths)}, **options)


def join_sheets(sources: Sources) -> dict[str, tuple[Storage, str]]:
    """Every sheet that imports others, whole. Raises KeyError for a component that is not there."""
    joined = InMemoryStorage()
    for name in sources:
        if name.endswith(".css") and _IMPORT.search(text := _read_source(sources, name)):
            joined.save(name, ContentFile(_join_components(sources, name, text)))
    return {name: (joined, name) for name in sources if joined.exists(name)}


def _join_components(sources: Sources, name: str, text: str) -> str:
    folder = posixpath.dirname(name)
    return _IMPORT.sub(lambda found: _read_source(sources, posixpath.join(folder, found[1])), text)


def _read_source(sources: Sources, name: str) -> str:
    storage, path = sources[name]
    with storage.open(path) as file:
        content = file.read()
    return content if isinstance(content, str) else content.decode()
