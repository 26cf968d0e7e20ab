"""`make bench`: processor time of generation beside its peers, in one run, on the same input.

Every measurement is a process of its own, user plus system time with its
children, the median of three runs. Prints a table and writes JSON. The large
public files are measured when CORPUS names a folder that has them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks.synthetic import openapi_with

ROOT = Path(__file__).resolve().parents[2]
RUNS = 3
TIMEOUT_SECONDS = 300.0
TREATY = [sys.executable, "-m", "codegen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`seconds` is None when the tool failed or is not installed; `note` says which."""

    case: str
    tool: str
    seconds: float | None
    target: float | None = None
    note: str = ""


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--peers", type=Path, help="folder of the peers' executables")
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    parser.add_argument("--corpus", default=os.environ.get("CORPUS", ""), help="folder with openapi/ and proto/")
    arguments = parser.parse_args()
    results: list[Result] = []
    print(f"{'case':<44} {'tool':<28} {'cpu s':>7} {'target':>7}  note")
    with tempfile.TemporaryDirectory(prefix="treaty-bench-") as folder:
        bench = Bench(Path(folder), arguments.peers, results)
        bench.platform()
        bench.growth()
        bench.corpus(Path(arguments.corpus) if arguments.corpus else None)
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "machine": platform.machine()}
    arguments.json.write_text(
        json.dumps({"machine": machine, "results": [asdict(r) for r in results]}, indent=1) + "\n"
    )
    missed = [r for r in results if r.target is not None and (r.seconds is None or r.seconds > r.target)]
    print(f"\n{len(results)} measurements, {len(missed)} over target; written to {arguments.json}")
    return 0


class Bench:
    """The cases; each adds to `results`."""

    def __init__(self, folder: Path, peers: Path | None, results: list[Result]) -> None:
        self._folder = folder
        self._peers = peers
        self._results = results
        self._fresh = 0

    def platform(self) -> None:
        """The repository's own contracts: cold, unchanged, one changed."""
        project = self._folder / "platform"
        shutil.copytree(ROOT / "contracts", project / "contracts")
        generate = [*TREATY, "generate", "--contracts", "contracts", "--out", "generated"]
        self._measure(
            "platform, cold",
            "treaty",
            generate,
            project,
            3.0,
            before=lambda: shutil.rmtree(project / "generated", ignore_errors=True),
        )
        self._measure("platform, nothing changed", "treaty", generate, project, 0.25)
        touched = project / "contracts" / "order" / "v1" / "asyncapi.yaml"

        def touch() -> None:
            touched.write_text(touched.read_text() + "# changed\n")

        self._measure("platform, one AsyncAPI file changed", "treaty", generate, project, before=touch)
        protos = sorted(str(p.relative_to(project / "contracts")) for p in (project / "contracts").rglob("*.proto"))
        self._measure(
            "platform, protos only",
            "grpcio-tools alone",
            self._protoc(protos),
            project / "contracts",
            before=self._out(project / "contracts"),
        )

    def growth(self) -> None:
        """One OpenAPI document with 100, 400 and 1,600 operations."""
        for factor in (1, 4, 16):
            project = self._folder / f"growth{factor}"
            contracts = project / "contracts"
            contracts.mkdir(parents=True)
            (contracts / "openapi.yaml").write_text(openapi_with(100 * factor))
            self._openapi(f"OpenAPI, {100 * factor} operations ({factor}x)", contracts / "openapi.yaml", project)

    def corpus(self, folder: Path | None) -> None:
        """Large public contracts, when they are at hand."""
        for case, file, target in (
            ("Discord OpenAPI, 1.2 MB", "openapi/discord.json", 5.0),
            ("PayPal orders OpenAPI, 0.55 MB", "openapi/paypal-checkout-orders-v2.json", None),
        ):
            if folder is None or not (folder / file).is_file():
                self._add(Result(case=case, tool="treaty", seconds=None, note="not measured: give CORPUS=DIR"))
                continue
            project = self._folder / Path(file).stem
            (project / "contracts").mkdir(parents=True)
            copied = shutil.copy(folder / file, project / "contracts" / Path(file).name)
            self._openapi(case, Path(copied), project, target)
        self._googleapis(folder)

    def _googleapis(self, folder: Path | None) -> None:
        case = "googleapis, 140 proto files"
        if folder is None or not (folder / "proto").is_dir():
            self._add(Result(case=case, tool="treaty", seconds=None, note="not measured: give CORPUS=DIR"))
            return
        project = self._folder / "googleapis"
        shutil.copytree(folder / "proto", project / "contracts")
        self._generate(case, project, 3.0)
        protos = sorted(str(p.relative_to(project / "contracts")) for p in (project / "contracts").rglob("*.proto"))
        self._measure(
            case,
            "grpcio-tools alone",
            self._protoc(protos),
            project / "contracts",
            before=self._out(project / "contracts"),
        )

    def _openapi(self, case: str, contract: Path, project: Path, target: float | None = None) -> None:
        self._generate(case, project, target)
        self._peer(
            case,
            "datamodel-code-generator",
            "datamodel-codegen",
            project,
            [
                "--input",
                str(contract),
                "--input-file-type",
                "openapi",
                "--output",
                "dcg.py",
                "--formatters",
                "builtin",
                "--no-treat-dot-as-module",
                "--output-model-type",
                "pydantic_v2.BaseModel",
            ],
        )
        self._peer(
            case,
            "openapi-python-client",
            "openapi-python-client",
            project,
            ["generate", "--path", str(contract), "--meta", "none", "--overwrite", "--output-path", "opc"],
        )

    def _generate(self, case: str, project: Path, target: float | None) -> None:
        command = [*TREATY, "generate", "--contracts", "contracts", "--out", "generated", "--package", "measured"]
        self._measure(
            case,
            "treaty",
            command,
            project,
            target,
            before=lambda: shutil.rmtree(project / "generated", ignore_errors=True),
        )

    def _peer(self, case: str, tool: str, executable: str, project: Path, arguments: Sequence[str]) -> None:
        path = self._peers / executable if self._peers else None
        if path is None or not path.is_file():
            self._add(Result(case=case, tool=tool, seconds=None, note="not installed"))
        else:
            self._measure(case, tool, [str(path.resolve()), *arguments], project)

    @staticmethod
    def _protoc(protos: Sequence[str]) -> list[str]:
        return [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            "-I.",
            "--python_out=out",
            "--pyi_out=out",
            "--grpc_python_out=out",
            *protos,
        ]

    @staticmethod
    def _out(folder: Path) -> Callable[[], None]:
        return lambda: (folder / "out").mkdir(exist_ok=True)

    def _measure(
        self,
        case: str,
        tool: str,
        command: Sequence[str],
        folder: Path,
        target: float | None = None,
        *,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        seconds = []
        for _ in range(RUNS):
            before()
            start = _children()
            try:
                done = subprocess.run(
                    command,
                    cwd=folder,
                    capture_output=True,
                    text=True,
                    check=False,
                    env=environment,
                    timeout=TIMEOUT_SECONDS,
                )
            except subprocess.TimeoutExpired:
                self._add(Result(case=case, tool=tool, seconds=None, target=target, note="timed out"))
                return
            if done.returncode != 0:
                reason = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1][:70]
                self._add(Result(case=case, tool=tool, seconds=None, target=target, note=f"failed: {reason}"))
                return
            seconds.append(_children() - start)
        self._add(Result(case=case, tool=tool, seconds=round(statistics.median(seconds), 3), target=target))

    def _add(self, result: Result) -> None:
        self._results.append(result)
        seconds = "-" if result.seconds is None else f"{result.seconds:.2f}"
        target = "" if result.target is None else f"{result.target:.2f}"
        print(f"{result.case:<44} {result.tool:<28} {seconds:>7} {target:>7}  {result.note}", flush=True)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
