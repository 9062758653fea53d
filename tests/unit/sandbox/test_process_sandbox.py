from __future__ import annotations

import pytest

from monitor.domain.errors import SandboxTrouble
from monitor.sandbox.process_sandbox import NamespaceSandbox, RlimitSandbox


@pytest.mark.parametrize("kind", [NamespaceSandbox, RlimitSandbox])
async def test_an_interpreter_that_is_missing_is_trouble_that_names_it(
    kind: type[NamespaceSandbox | RlimitSandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.sandbox.starts._PAUSE_S", 0)
    with pytest.raises(SandboxTrouble, match="/nowhere/python3"):
        await kind.open(slots=1, python="/nowhere/python3")


async def test_the_same_sandbox_has_the_same_identity_at_every_start() -> None:
    identities = set()
    for _ in range(2):
        async with await RlimitSandbox.open(slots=1) as sandbox:
            identities.add(sandbox.identity)
    assert len(identities) == 1
