"""The page over the kept mails, and the same as JSON for tests. A Django application of its own, without the shop."""

import base64
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_http_methods

from shop.local.mailbox.store import Mail, MailStore

_HERE = Path(__file__).parent
_SHOWN = 200  # mails in the list; older ones are found by searching
_VIEWS = ("html", "text", "headers", "source")
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A mail runs nothing and loads nothing; its links open in a new tab.
_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
)
_store: MailStore


def make_wsgi_application(store: MailStore) -> WSGIHandler:
    global _store  # noqa: PLW0603  (one mailbox per process)
    _store = store
    return get_wsgi_application()


@require_GET
def list_mails(request: HttpRequest) -> HttpResponse:
    return _render_mailbox(request, None)


@require_GET
def show_mail(request: HttpRequest, mail_id: str) -> HttpResponse:
    return _render_mailbox(request, _get_mail_or_404(mail_id))


@require_GET
def show_html(request: HttpRequest, mail_id: str) -> HttpResponse:
    response = HttpResponse('<base target="_blank">' + _inline_images(_get_mail_or_404(mail_id)))
    response["Content-Security-Policy"] = _MAIL_POLICY
    return response


@require_GET
def download_raw(request: HttpRequest, mail_id: str) -> FileResponse:
    return _make_download(_get_mail_or_404(mail_id).raw, f"{mail_id}.eml", "message/rfc822")


@require_GET
def download_attachment(request: HttpRequest, mail_id: str, position: int) -> FileResponse:
    attachments = _get_mail_or_404(mail_id).attachments
    if position >= len(attachments):
        raise Http404
    return _make_download(attachments[position].content, attachments[position].name, "application/octet-stream")


@require_http_methods(["POST"])
def empty_mailbox(request: HttpRequest) -> HttpResponse:
    if not _is_same_origin(request):
        return HttpResponse("Only this page may empty the box.", status=403)
    _store.empty()
    return redirect("/")


@require_http_methods(["GET", "DELETE"])
def api_messages(request: HttpRequest) -> JsonResponse:
    if request.method == "DELETE":
        if not _is_same_origin(request):
            return JsonResponse({"error": "Only from this machine's own pages and tests."}, status=403)
        return JsonResponse({"deleted": _store.empty()})
    asked = request.GET
    mails = _store.find(asked.get("q", ""), to=asked.get("to", ""), topic=asked.get("topic", ""))
    return JsonResponse({"count": len(mails), "messages": [mail.summary() for mail in mails]})


@require_GET
def api_message(request: HttpRequest, mail_id: str) -> JsonResponse:
    return JsonResponse(_get_mail_or_404(mail_id).details())


@require_GET
def api_count(request: HttpRequest) -> JsonResponse:
    mail_ids = _store.ids()
    return JsonResponse({"count": len(mail_ids), "newest": mail_ids[0] if mail_ids else ""})


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@require_GET
def serve_asset(request: HttpRequest, name: str) -> HttpResponse:
    kinds = {"mailbox.css": "text/css", "mailbox.js": "text/javascript", "cup.svg": "image/svg+xml"}
    if name not in kinds:
        raise Http404
    return HttpResponse((_HERE / "static" / name).read_bytes(), content_type=kinds[name])


urlpatterns = [
    path("", list_mails),
    path("messages/<slug:mail_id>/", show_mail),
    path("messages/<slug:mail_id>/html", show_html),
    path("messages/<slug:mail_id>/raw.eml", download_raw),
    path("messages/<slug:mail_id>/attachments/<int:position>", download_attachment),
    path("empty", empty_mailbox),
    path("api/messages", api_messages),
    path("api/messages/<slug:mail_id>", api_message),
    path("api/count", api_count),
    path("healthz", healthz),
    path("assets/<str:name>", serve_asset),
]


def _render_mailbox(request: HttpRequest, mail: Mail | None) -> HttpResponse:
    words = request.GET.get("q", "").strip()
    mails = _store.find(words)
    wanted = request.GET.get("view", "")
    views = [view for view in _VIEWS if view != "html" or (mail and mail.html)]
    context = {
        "mail": mail,
        "mails": mails[:_SHOWN],
        "older_count": max(0, len(mails) - _SHOWN),
        "count": len(_store.ids()),
        "words": words,
        "views": views,
        "view": wanted if wanted in views else views[0],
        "source": mail.raw.decode("utf-8", "replace") if mail else "",
        "newest": (_store.ids() or [""])[0],
    }
    response = render(request, "mailbox/page.html", context)
    response["Content-Security-Policy"] = _PAGE_POLICY
    response["Cache-Control"] = "no-store"
    return response


def _get_mail_or_404(mail_id: str) -> Mail:
    mail = _store.get(mail_id)
    if mail is None:
        raise Http404
    return mail


def _inline_images(mail: Mail) -> str:
    """The mail's HTML with the images it carries itself (`cid:`) put in place."""
    body = mail.html
    for part in mail.message.walk():
        content_id = str(part.get("Content-ID", "")).strip("<> ")
        payload = part.get_payload(decode=True)
        if content_id and isinstance(payload, bytes):
            encoded = base64.b64encode(payload).decode()
            body = body.replace(f"cid:{content_id}", f"data:{part.get_content_type()};base64,{encoded}")
    return body


def _make_download(content: bytes, name: str, kind: str) -> FileResponse:
    return FileResponse(BytesIO(content), as_attachment=True, filename=name, content_type=kind)


def _is_same_origin(request: HttpRequest) -> bool:
    """Whether the request comes from our own page, or from no page at all (a test, curl)."""
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.get_host()
