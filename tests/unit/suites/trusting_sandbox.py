"""Runs our own tests' Python programs in this process: no sandbox at all, for texts we wrote."""

from __future__ import annotations

from monitor.domain.samples import Execution, Outcome, Program
from monitor.domain.tasks import TaskKind


class TrustingSandbox:
    """Python only; other languages are UNSCORED, as where they are not installed."""

    identity = "trusting"

    def __init__(self) -> None:
        self.executed: list[Program] = []

    async def execute(self, program: Program, *, fresh: bool = False) -> Execution:
        self.executed.append(program)
        if program.language != "python":
            return Execution(outcome=Outcome.UNSCORED, detail=f"{program.language} is not installed")
        names: dict[str, object] = {}
        tests: dict[str, object] = {}
        try:
            exec(compile(program.test, "tests", "exec", dont_inherit=True), tests)
            if program.kind is TaskKind.ANSWER:
                tests["check"](program.source)  # type: ignore[operator]
            else:
                exec(compile(program.source, "program", "exec", dont_inherit=True), names)
                if program.in_process:
                    tests.update(names | tests)
                tests["check"](names[program.entry_point])  # type: ignore[operator]
        except Exception as exc:  # noqa: BLE001
            return Execution(outcome=Outcome.FAILED, detail=f"{type(exc).__name__}: {exc}", cpu_s=0.02)
        return Execution(outcome=Outcome.PASSED, cpu_s=0.01)

    async def close(self) -> None:
        """Nothing to end."""
