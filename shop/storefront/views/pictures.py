"""Pictures of goods, straight from storage: the small shop's way. A bucket or a proxy may stand in front instead."""

from pathlib import PurePosixPath

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.utils.http import http_date, parse_http_date_safe
from django.views.decorators.http import require_safe

PUBLIC_FOLDER = "products"  # everything else in storage is private
CONTENT_TYPES = {".svg": "image/svg+xml", ".webp": "image/webp", ".png": "image/png", ".jpg": "image/jpeg"}
WEEK_SECONDS = 7 * 24 * 3600


@require_safe
def picture(request: HttpRequest, name: str) -> HttpResponse | FileResponse:
    kind = CONTENT_TYPES.get(PurePosixPath(name).suffix.lower())
    if kind is None or PurePosixPath(name).parts[0] != PUBLIC_FOLDER or "\x00" in name:
        raise Http404
    try:
        changed = int(default_storage.get_modified_time(name).timestamp())
        since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
        is_known = since is not None and changed <= since
        response = HttpResponse(status=304) if is_known else FileResponse(default_storage.open(name), content_type=kind)
    except (FileNotFoundError, IsADirectoryError, SuspiciousFileOperation, OSError) as missing:
        raise Http404 from missing
    response.headers["Cache-Control"] = f"public, max-age={WEEK_SECONDS}"
    response.headers["Last-Modified"] = http_date(changed)
    return response
