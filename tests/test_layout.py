"""Tests read pages without their layout: nothing that a browser draws is lost with it."""

import pytest
from django.test import Client

from tests.layout import drop_layout


@pytest.mark.parametrize(
    ("page", "left"),
    [
        ("\n<p>\n  One <b>two</b>\n  <i>three</i>\n</p>\n", "<p>One <b>two</b> <i>three</i></p>"),
        ("<dt>\n  A\n</dt>\n<dd>B</dd>", "<dt>A</dt><dd>B</dd>"),
        ('<input\n  type="radio"\n  value="a  b"\n  checked\n>', '<input type="radio" value="a  b" checked>'),
        ("<p>\n  £\u00a05\n</p>", "<p>£\u00a05</p>"),
        ("<a>one</a><a>two</a>", "<a>one</a><a>two</a>"),
        ("<p>\n<textarea>\n a  b </textarea>\n</p>", "<p><textarea>\n a  b </textarea></p>"),
    ],
)
def test_only_white_space_that_is_not_drawn_goes(page, left):
    assert drop_layout(page) == left
    assert drop_layout(left) == left


def test_the_test_client_hands_pages_over_without_it(db):
    assert "\n" not in Client().get("/robots.txt-not-there/").text
    assert "\n" in Client().get("/robots.txt").text
