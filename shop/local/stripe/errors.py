"""Refusals in Stripe's own shape: https://docs.stripe.com/api/errors."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class RefusalError(Exception):
    message: str
    status: int = 400
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    # Stripe saves an answer under its idempotency key once the endpoint has begun to work,
    # not when the parameters were refused before that.
    executed: bool = False

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": self.type}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


def make_missing_param_error(param: str) -> RefusalError:
    return RefusalError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def make_unknown_param_error(params: list[str]) -> RefusalError:
    noun = "parameter" if len(params) == 1 else "parameters"
    return RefusalError(f"Received unknown {noun}: {', '.join(params)}", code="parameter_unknown", param=params[0])


def make_no_such_object_error(noun: str, identifier: str, *, param: str = "id", status: int = 404) -> RefusalError:
    return RefusalError(f"No such {noun}: '{identifier}'", status=status, code="resource_missing", param=param)


def make_not_simulated_error(param: str) -> RefusalError:
    """Stripe would take this; refusing is more honest than taking it and doing nothing."""
    return RefusalError(
        f"The Stripe stand-in does not simulate `{param}`. Stripe itself may accept it.",
        code="stand_in_not_simulated",
        param=param,
    )


def make_invalid_param_error(message: str, param: str, code: str | None = None) -> RefusalError:
    return RefusalError(message, code=code, param=param)
