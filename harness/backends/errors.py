"""What can go wrong with backends."""

from __future__ import annotations


class BackendError(Exception):
    """An engine cannot be had, did not start, or is not in the state that was asked for; the message says which."""


class NotSupported(BackendError):
    """This backend cannot do that, here or at all; the message says why."""
