"""What the rules refuse as the contracts say it: INVALID_ARGUMENT with the field, FAILED_PRECONDITION with a code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shop.runtime.errors import FailedPrecondition, NotFound

from services.checkout.domain.refusals import Invalid, Refused
from services.platform.refusals import invalid, refusal


@contextmanager
def refusing() -> Iterator[None]:
    """Turns what the rules raise within into statuses."""
    try:
        yield
    except Invalid as error:
        raise invalid(error.field, error.rule) from None
    except Refused as error:
        refused = error.refusal
        raise refusal(FailedPrecondition, refused.code, refused.text, facts=refused.facts) from None


def unknown(what: str, name: str) -> NotFound:
    """NOT_FOUND for a cart, checkout or product."""
    return refusal(NotFound, "NOT_FOUND", f"There is no {what} {name}.")
