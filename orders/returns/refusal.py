from collections.abc import Mapping


class ReturnRefused(Exception):  # noqa: N818  (a refusal, not an error)
    """It does not go back: too many, too late, left out by the policy. The message says so, for people.

    `by_line`: the same by order line, where it is about some of them.
    """

    def __init__(self, words: str = "", *, by_line: Mapping[int, str] | None = None) -> None:
        self.by_line = dict(by_line or {})
        super().__init__(words or " ".join(dict.fromkeys(self.by_line.values())))
