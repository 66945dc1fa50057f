"""What a list's cell does with words too long for its column."""

import pytest
from django.utils.safestring import SafeString

from shop.backoffice.templatetags.cells import cut, cut_cell

SOCKS = "Everyday merino socks, Navy, size 13"


@pytest.mark.parametrize("words", ["w" * 120, SOCKS])
def test_long_words_are_framed_with_the_whole_as_title(words):
    cell = cut_cell(SafeString(f'<td class="field-variant nowrap"><a href="/x/">{words}</a></td>'))
    assert (
        cell
        == f'<td class="field-variant nowrap"><div class="cut" title="{words}"><a href="/x/">{words}</a></div></td>'
    )
    assert cut(words) == f'<div class="cut" title="{words}">{words}</div>'


@pytest.mark.parametrize(
    "cell",
    [
        '<td class="field-created_at nowrap">26 Nov 2026, 12:21 p.m.</td>',
        '<th class="field-number"><a href="/admin/orders/order/1/change/?_changelist_filters=q%3Da">SW-1</a></th>',
        f'<td class="field-position"><input name="form-0-position" value="{SOCKS}"></td>',
        f'<td class="field-variant"><select name="form-0-variant"><option>{SOCKS}</option></select></td>',
    ],
)
def test_what_a_column_holds_and_what_is_typed_stay_as_they_are(cell):
    assert cut_cell(SafeString(cell)) == cell


def test_a_title_is_told_as_text_and_escaped_once():
    name = "Fell &amp; Dale &quot;the&quot; &lt;b&gt; and all the others"
    framed = cut_cell(SafeString(f"<td>{name}</td>"))
    assert framed == f'<td><div class="cut" title="{name}">{name}</div></td>'
    assert cut("<script>" * 5).count("&lt;script&gt;") == 10
