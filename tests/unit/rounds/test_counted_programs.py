"""The programs that are counted as executed are those that a sandbox ran."""

from __future__ import annotations

from dataclasses import replace

from monitor.ports import Count
from monitor.rounds.watching import adopt, bank
from monitor.rounds.worker import work_once
from monitor.sandbox.process_sandbox import RlimitSandbox

from .conftest import World, checkpoint, small_suite


async def test_a_program_that_equals_an_earlier_one_is_not_counted(world: World) -> None:
    """Across the seam: what a real sandbox ran for a bank, as the store counts it."""
    world.suite = small_suite(per_stratum=2)
    world.watch = replace(world.watch, suite=world.suite)
    async with await RlimitSandbox.open(slots=1) as sandbox:
        bench = replace(world.bench(), sandbox=sandbox)

        def assemble(task, completion):
            text = f"    return {completion.index % 4}\n"
            return bench.asking.assemble(task, replace(completion, text=text))

        subject = checkpoint("base")
        adopt(world.watch, subject, now=world.clock())
        wanted = bank(world.watch, subject, now=world.clock())
        world.store.enqueue(wanted)
        await work_once(replace(bench, asking=replace(bench.asking, assemble=assemble)), worker="w:1:1")
    samples = list(world.store.samples(wanted.key.evaluation_id))
    programs = {sample.program_digest for sample in samples}
    references = {bench.asking.reference(task).digest for task in world.suite}
    # The strata have the same two functions, each with four bodies; one is the reference, which ran.
    assert (len(samples), len(programs), len(references)) == (6 * 32, 2 * 4, 2)
    assert world.store.counters("acme")[Count.PROGRAMS_EXECUTED, ""] == len(programs - references) == 6
