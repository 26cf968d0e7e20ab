"""`python -m harness.pacts run|record|publish|deploy|can-i-deploy`: contract tests, pacts, and what may be deployed.

Exit codes: 0 fine or yes, 1 a finding or no, 2 the call is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.backends.errors import BackendError
from harness.environment.process import ServiceError
from harness.pacts import ledger as ledgers
from harness.pacts.can_i_deploy import can_i_deploy
from harness.pacts.known import KnownError
from harness.pacts.ledger import Ledger, LedgerError, Verification, version_of

OUT = Path("build") / "contract-test"


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except (LedgerError, KnownError) as problem:
        sys.stderr.write(f"error: {problem}\n")
        return 2
    except (BackendError, ServiceError) as problem:
        sys.stderr.write(f"error: {problem}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m harness.pacts", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="the whole suite on a platform of its own")
    run.add_argument("--provider", action="append", default=[], help="verify only this provider; may be repeated")
    run.add_argument("--no-fuzz", action="store_true", help="without Schemathesis")
    run.add_argument(
        "--out", type=Path, default=OUT, help="folder of report.json and report.html (default: %(default)s)"
    )
    run.add_argument(
        "--publish", action="store_true", help="write pacts and verifications of this version to the ledger"
    )
    run.set_defaults(command=_run)
    record = commands.add_parser("record", help="record the pacts and write them to harness/pacts/recorded")
    record.set_defaults(command=_record)
    publish = commands.add_parser("publish", help="write the recorded pacts of consumers to the ledger")
    publish.add_argument("consumers", nargs="*", help="default: all")
    publish.set_defaults(command=_publish)
    deploy = commands.add_parser("deploy", help="write down that services run in an environment now")
    ask = commands.add_parser("can-i-deploy", help="whether services may be deployed to an environment")
    for command, made in ((_deploy, deploy), (_can_i_deploy, ask)):
        made.add_argument(
            "services", nargs="+", metavar="SERVICE[=VERSION]", help="default: the version of the sources"
        )
        made.add_argument("--to", required=True, metavar="ENVIRONMENT")
        made.set_defaults(command=command)
    for each in (run, publish, deploy, ask):
        each.add_argument("--ledger", type=Path, default=ledgers.FOLDER, help="folder of the ledger")
    return parser


def _run(options: argparse.Namespace) -> int:
    from harness.pacts import page, suite, tables

    report, pacts = suite.run(
        fuzz=not options.no_fuzz, providers=options.provider, tell=lambda text: print(f"  {text}", flush=True)
    )
    print(f"\n{tables.text_of(report)}")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "report.json").write_text(json.dumps(tables.json_of(report), indent=1) + "\n", encoding="utf-8")
    (options.out / "report.html").write_text(page.page_of(report), encoding="utf-8")
    print(f"{options.out / 'report.html'}, {options.out / 'report.json'}")
    if options.publish:
        _note(Ledger(options.ledger), pacts, report.verdicts)
    return 0 if report.passed else 1


def _note(ledger: Ledger, pacts: Mapping[str, Mapping[str, Any]], verdicts: Sequence[Any]) -> None:
    """Pacts of these consumers' versions, and how these providers' versions did."""
    from harness.pacts.recorded import sha_of

    _publish_all(ledger, pacts)
    for pact in pacts.values():
        consumer, provider = pact["consumer"]["name"], pact["provider"]["name"]
        theirs = [each for each in verdicts if (each.consumer, each.provider) == (consumer, provider)]
        if theirs:
            wrong = tuple(each.description for each in theirs if not each.kept)
            result = Verification(version=version_of(provider), success=not wrong, wrong=wrong)
            ledger.verified(provider, sha_of(pact), consumer, result)


def _publish_all(ledger: Ledger, pacts: Mapping[str, Mapping[str, Any]]) -> None:
    for pact in pacts.values():
        ledger.publish(version_of(pact["consumer"]["name"]), [pact])


def _record(_options: argparse.Namespace) -> int:
    from harness.pacts import recorded
    from harness.pacts.contracts import Protos, load
    from harness.pacts.expectations import ALL
    from harness.pacts.suite import recorded_again

    problems: list[str] = []
    pacts = recorded_again(ALL, Protos(load().descriptor_set), problems)
    if problems:
        sys.stderr.write("".join(f"error: {each}\n" for each in problems))
        return 1
    changed = recorded.differences(pacts)
    recorded.write(pacts)
    print("\n".join(map(str, changed)) or "no pact has changed")
    return 0


def _publish(options: argparse.Namespace) -> int:
    from harness.pacts import recorded

    pacts = recorded.read()
    known = {pact["consumer"]["name"] for pact in pacts.values()}
    unknown = sorted(set(options.consumers) - known)
    if unknown:
        raise LedgerError(f"no pact is of {', '.join(unknown)}; consumers are {', '.join(sorted(known))}")
    wanted = set(options.consumers) or known
    chosen = {name: pact for name, pact in pacts.items() if pact["consumer"]["name"] in wanted}
    _publish_all(Ledger(options.ledger), chosen)
    print(f"published {len(chosen)} pacts of {len(wanted)} consumers")
    return 0


def _deploy(options: argparse.Namespace) -> int:
    versions = _versions(options.services)
    Ledger(options.ledger).deploy(options.to, versions)
    print("\n".join(f"{service} {version} runs in {options.to}" for service, version in versions.items()))
    return 0


def _can_i_deploy(options: argparse.Namespace) -> int:
    versions = _versions(options.services)
    answers = can_i_deploy(Ledger(options.ledger), versions, options.to)
    for answer in answers:
        print(f"  {'no ' if answer.problem else 'yes'}  {answer}")
    refused = sum(bool(answer.problem) for answer in answers)
    asked = ", ".join(f"{service} {version}" for service, version in versions.items())
    print(f"{'no' if refused else 'yes'}: {asked} to {options.to} ({len(answers)} pairs, {refused} against it)")
    return 1 if refused else 0


def _versions(services: Sequence[str]) -> dict[str, str]:
    from harness.environment.services import SLICE
    from harness.pacts.recorded import read

    known = {*SLICE, *(pact["consumer"]["name"] for pact in read().values())}
    found = {}
    for each in services:
        service, _, version = each.partition("=")
        if service not in known:
            raise LedgerError(f"no service {service!r}; there are {', '.join(sorted(known))}")
        found[service] = version or version_of(service)
    return found


if __name__ == "__main__":
    sys.exit(main())
