"""A checkpoint file that somebody changed, and what an older one knows."""

import pytest
from django.core.management import call_command

from tests.accounts.forging import alice, found, mark, path, said
from tests.accounts.test_forgeries import a_no_taken_out

__all__ = ["alice", "mark", "path"]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:1] + lines[2:],  # a chain less
        lambda lines: lines[:-1],
        lambda lines: [],
        lambda lines: [*lines[:-1], "end " + "0" * 64 + "\n"],
        lambda lines: [*lines[:-1], "end no-hex\n"],
        lambda lines: ["taken 2020-01-01T00:00:00+00:00\n", *lines[1:]],
        lambda lines: [*lines[:-2], lines[-1]],
        lambda lines: [lines[0], lines[1].replace(lines[1][-9:], "00000000\n"), *lines[2:]],
    ],
)
def test_a_checkpoint_file_that_was_changed_is_refused(alice, mark, change):
    call_command("checkpoint_consents", str(mark))
    lines = mark.read_text().splitlines(keepends=True)
    mark.write_text("".join(change(lines)))
    assert "is not" in found(checkpoint=mark)


def test_an_older_checkpoint_knows_less_and_a_newer_one_more(alice, tmp_path):
    """What was said between the two is held by the newer one alone."""
    older, newer = tmp_path / "older", tmp_path / "newer"
    call_command("checkpoint_consents", str(older))
    said(alice, True, False)
    call_command("checkpoint_consents", str(newer))
    a_no_taken_out(alice)
    assert found(checkpoint=older) == ""
    assert "Shorter than the checkpoint" in found(checkpoint=newer)
