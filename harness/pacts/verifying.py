"""Holds a running provider to the pacts of its consumers, with Pact's own verifier."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pact import Verifier

from harness.pacts.recorded import text_of
from harness.pacts.side import MESSAGE, STATE

os.environ.setdefault("PACT_DO_NOT_TRACK", "true")
logging.getLogger("pact.ffi").setLevel(logging.ERROR)
HOST = "127.0.0.1"
TIMEOUT = 150.0
"""Of one question to the provider or to the side application, in seconds: a state may be a whole order."""
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one interaction; `wrong` is empty when the provider keeps it."""

    consumer: str
    provider: str
    description: str
    wrong: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether the provider does what the consumer expects."""
        return not self.wrong


def verify(
    provider: str, pacts: Sequence[Mapping[str, Any]], side_port: int, *, http_url: str | None = None
) -> list[Verdict]:
    """A verdict for every interaction of the pacts, also for those that the verifier did not come to.

    `http_url` is where HTTP interactions are sent.
    """
    verifier = Verifier(provider, host=HOST)
    verifier.set_request_timeout(int(TIMEOUT * 1000))
    verifier.set_coloured_output(enabled=False)
    verifier.add_transport(url=f"http://{HOST}:{urlsplit(http_url).port if http_url else side_port}")
    verifier.add_transport(protocol="message", port=side_port, path=MESSAGE)
    verifier.state_handler(f"http://{HOST}:{side_port}{STATE}", body=True, teardown=True)
    with tempfile.TemporaryDirectory() as folder:
        for pact in pacts:
            path = Path(folder) / f"{pact['consumer']['name']}.json"
            path.write_text(text_of(pact), encoding="utf-8")
            verifier.add_source(path)
        failure = ""
        with _without_output():
            try:
                verifier.verify()
            except RuntimeError as problem:
                failure = str(problem)
    return _verdicts(provider, pacts, verifier.results, failure)


def _verdicts(
    provider: str, pacts: Sequence[Mapping[str, Any]], results: Mapping[str, Any], failure: str
) -> list[Verdict]:
    found = {(each["consumer"], each["description"]): each for each in results.get("interactionResults", ())}
    verdicts = []
    for pact in pacts:
        consumer = pact["consumer"]["name"]
        for interaction in pact["interactions"]:
            result = found.get((consumer, interaction["description"]))
            wrong = (
                (f"it was not verified: {failure or 'the verifier says nothing of it'}",)
                if result is None
                else _wrong(result)
            )
            verdicts.append(
                Verdict(consumer=consumer, provider=provider, description=interaction["description"], wrong=wrong)
            )
    return verdicts


def _wrong(result: Mapping[str, Any]) -> tuple[str, ...]:
    if result["result"] == "OK":
        return ()
    mismatch = result.get("mismatch") or {}
    told = [_ANSI.sub("", _line(each)) for each in mismatch.get("mismatches", ())]
    if not told:
        told = [
            _ANSI.sub("", str(mismatch.get("message") or mismatch or "it failed, and the verifier does not say why"))
        ]
    return tuple(told)


def _line(mismatch: Mapping[str, Any]) -> str:
    path = mismatch.get("path")
    return f"{path}: {mismatch['mismatch']}" if path else str(mismatch.get("mismatch", mismatch))


@contextmanager
def _without_output() -> Iterator[None]:
    """The verifier prints by itself, past Python: what it has to say is in its results."""
    sys.stdout.flush()
    kept = os.dup(1)
    with tempfile.TemporaryFile() as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
