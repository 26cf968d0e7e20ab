"""Whether versions may be deployed beside what runs in an environment: a pure look into the ledger.

As a consumer, a service needs each of its providers there, verified against what it expects. As a provider, it must
have been verified against what each consumer there expects. Services that are asked for together count as there, so
that new consumers and providers, or the whole platform, can be deployed at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.pacts.ledger import Ledger, LedgerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One pair of consumer and provider. `problem` is empty when they fit."""

    consumer: str
    consumer_version: str
    provider: str
    provider_version: str
    problem: str = ""

    def __str__(self) -> str:
        pair = f"{self.consumer} {self.consumer_version} -> {self.provider} {self.provider_version or '-'}"
        return f"{pair}: {self.problem or 'verified'}"


def can_i_deploy(ledger: Ledger, candidates: Mapping[str, str], environment: str) -> list[Answer]:
    """An answer for each pair that the deployment touches. `LedgerError` for what the ledger does not know.

    `candidates` are versions by service. A service without pacts and without consumers may always be deployed.
    """
    there = {**ledger.deployed(environment), **candidates}
    return sorted(set(_answers(ledger, candidates, there)), key=lambda each: (each.consumer, each.provider))


def _answers(ledger: Ledger, candidates: Mapping[str, str], there: Mapping[str, str]) -> Iterator[Answer]:
    for service, version in candidates.items():
        pacts = ledger.pacts(service, version)
        if pacts is None and _consumes(ledger, service):
            raise LedgerError(f"{service} {version} was never published: nobody knows what it expects")
        for provider, sha in (pacts or {}).items():
            yield _answer(ledger, service, version, provider, there.get(provider, ""), sha)
        for consumer, sha in ledger.consumers_of(service, there).items():
            yield _answer(ledger, consumer, there[consumer], service, version, sha)


def _consumes(ledger: Ledger, service: str) -> bool:
    return (ledger.folder / "pacts" / service).is_dir()


def _answer(
    ledger: Ledger, consumer: str, consumer_version: str, provider: str, provider_version: str, sha: str
) -> Answer:
    problem = ""
    if not provider_version:
        problem = "the provider is not there"
    else:
        found = ledger.verification(provider, sha, provider_version)
        if found is None:
            problem = "UNVERIFIED: this version of the provider was never verified against what the consumer expects"
        elif not found.success:
            problem = f"FAILED: {', '.join(found.wrong) or 'it does not keep the pact'}"
    return Answer(
        consumer=consumer,
        consumer_version=consumer_version,
        provider=provider,
        provider_version=provider_version,
        problem=problem,
    )
