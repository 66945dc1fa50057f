"""EasyPost, asked to follow a parcel: https://docs.easypost.com/docs/trackers. It gets the number and nothing else.

What it then tells comes by webhook (`orders.carriers.easypost`).
"""

from http import HTTPStatus

import requests
from django.conf import settings

TIMEOUT_SECONDS = 10
NOT_FOLLOWED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY})


class EasyPostUnavailable(Exception):  # noqa: N818  (not a fault of ours)
    """It did not answer, or not as it should; asking again later may help."""


def is_set_up() -> bool:
    return bool(settings.EASYPOST_API_KEY)


def follow_number(number: str) -> bool:
    """Whether it follows the number now; asked again it is the same. Raises `EasyPostUnavailable`."""
    try:
        answer = requests.post(
            f"{settings.EASYPOST_API_BASE}/v2/trackers",
            json={"tracker": {"tracking_code": number}},
            auth=(settings.EASYPOST_API_KEY, ""),
            timeout=TIMEOUT_SECONDS,
        )
    except requests.RequestException as error:
        raise EasyPostUnavailable("EasyPost does not answer.") from error
    if answer.status_code in NOT_FOLLOWED:
        return False
    if not answer.ok:
        raise EasyPostUnavailable(f"EasyPost answers {answer.status_code}.")
    return True
