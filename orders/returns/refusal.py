class ReturnRefused(Exception):  # noqa: N818  (a refusal, not an error)
    """It does not go back: too many, too late, left out by the policy. The message says so, for people."""
