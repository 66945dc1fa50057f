"""Global Privacy Control: a browser that sends `Sec-GPC: 1` says no to sharing, and to being followed without a login.

It is a standing no, shown as one: nothing that shares is asked for, and what is off stays off. A customer who ticks the
switch all the same, with the note beside it, means it; that answer is theirs and counts. https://w3c.github.io/gpc/
"""

from django.http import HttpRequest

from accounts.consent.purposes import Purpose, PurposeGroup

NOTE_OFF = (
    "Your browser asks shops not to share (Global Privacy Control), so this stays off. Turn it on only if you mean it."
)
NOTE_ON = (
    "Your browser asks shops not to share (Global Privacy Control). You turned this on yourself, so it counts; "
    "turn it off to follow your browser."
)


def has_gpc_signal(request: HttpRequest) -> bool:
    return request.headers.get("Sec-GPC", "").strip() == "1"


def covers_purpose(purpose: Purpose) -> bool:
    """Whether the signal is an answer to this purpose: what goes beyond the customer and the shop."""
    return purpose.group is PurposeGroup.OTHERS


def get_gpc_note(purpose: Purpose, *, is_gpc: bool, granted: bool) -> str:
    """What stands beside the switch while the browser says no; empty otherwise."""
    if not (is_gpc and covers_purpose(purpose)):
        return ""
    return NOTE_ON if granted else NOTE_OFF
