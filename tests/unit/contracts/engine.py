"""What every engine and every model it serves does."""

from __future__ import annotations

from contextlib import aclosing
from typing import Protocol

import pytest

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.errors import InvalidCheckpoint, MonitorError
from monitor.domain.samples import Completion, FinishReason, SampleRequest
from monitor.ports import CompletionModel, Engine


class Bench(Protocol):
    """An engine with something to serve."""

    engine: Engine
    first: Checkpoint
    second: Checkpoint
    unloadable: Checkpoint
    """One that the engine can never serve."""

    def request(self, task_id: str, *, count: int, seed: int, first_index: int = 0) -> SampleRequest:
        """One that the engine answers."""
        ...

    def refused(self, *, count: int) -> SampleRequest:
        """One that the engine refuses."""
        ...


async def collect(model: CompletionModel, *requests: SampleRequest) -> list[Completion]:
    """All completions, ordered by task and index."""
    found = [completion async for completion in model.complete(requests)]
    return sorted(found, key=lambda completion: (completion.task_id, completion.index))


class EngineContract:
    """Inherit, and give a fixture ``bench``."""

    async def test_every_requested_sample_comes_once_with_its_index_and_seed(self, bench: Bench) -> None:
        model = await bench.engine.serve(bench.first)
        requests = [
            bench.request(f"t{number}", count=number, seed=100 * number, first_index=8)
            for number in (1, 2, 3)
        ]
        found = await collect(model, *requests)
        expected = [(f"t{n}", 8 + i, 100 * n + i) for n in (1, 2, 3) for i in range(n)]
        assert [(c.task_id, c.index, c.seed) for c in found] == expected
        assert all(c.finish_reason.answered and c.detail == "" for c in found)
        assert all(
            c.mean_logprob is not None and c.min_logprob is not None and c.min_logprob <= c.mean_logprob <= 0
            for c in found
            if c.tokens
        )

    async def test_no_requests_give_no_completions(self, bench: Bench) -> None:
        model = await bench.engine.serve(bench.first)
        assert await collect(model) == []

    async def test_a_child_equals_the_single_sample_with_its_seed(self, bench: Bench) -> None:
        model = await bench.engine.serve(bench.first)
        together = await collect(model, bench.request("t1", count=6, seed=500))
        singles = [
            await collect(model, bench.request("t1", count=1, seed=500 + i, first_index=i)) for i in range(6)
        ]
        assert [c.text for c in together] == [single.text for (single,) in singles]

    async def test_a_seed_gives_its_text_again_whoever_is_beside_it(self, bench: Bench) -> None:
        model = await bench.engine.serve(bench.first)
        alone = await collect(model, bench.request("t1", count=4, seed=700))
        others = [bench.request(f"u{n}", count=2, seed=5000 * n) for n in range(1, 6)]
        crowded = await collect(model, *others, bench.request("t1", count=4, seed=700))
        assert model.identity.seed_stable
        assert [c.text for c in crowded if c.task_id == "t1"] == [c.text for c in alone]

    async def test_a_refused_request_gives_aborted_samples_with_the_reason(self, bench: Bench) -> None:
        model = await bench.engine.serve(bench.first)
        refused = bench.refused(count=2)
        found = await collect(model, refused, bench.request("t1", count=1, seed=1))
        aborted = [c for c in found if c.task_id == refused.task_id]
        assert [(c.text, c.finish_reason) for c in aborted] == [("", FinishReason.REFUSED)] * 2
        assert [c.index for c in aborted] == [refused.first_index, refused.first_index + 1]
        assert all(c.detail for c in aborted)
        assert len(found) == 3

    async def test_leaving_early_leaves_the_model_usable(self, bench: Bench) -> None:
        model = await bench.engine.serve(bench.first)
        requests = [bench.request(f"t{n}", count=1, seed=n) for n in range(30)]
        async with aclosing(model.complete(requests)) as completions:  # type: ignore[type-var]
            async for _ in completions:
                break
        assert len(await collect(model, bench.request("t1", count=1, seed=1))) == 1

    async def test_prompt_logprobs_come_in_the_order_of_the_texts(self, bench: Bench) -> None:
        model = await bench.engine.serve(bench.first)
        texts = ["def add ( a , b )", "for i in range ( 3 ) : pass", "def add ( a , c )"]
        found = await model.prompt_logprobs(texts)
        assert len(found) == 3
        assert all(value <= 0 for values in found for value in values)
        assert await model.prompt_logprobs(texts[1:]) == [pytest.approx(v, abs=1e-4) for v in found[1:]]
        assert await model.prompt_logprobs([]) == []

    async def test_a_text_after_a_context_has_a_logprob_for_each_of_its_tokens(self, bench: Bench) -> None:
        model = await bench.engine.serve(bench.first)
        context, text = "def add ( a , b ) :", " return a"
        (alone,) = await model.prompt_logprobs([text])
        (after,) = await model.prompt_logprobs([text], contexts=[context])
        (whole,) = await model.prompt_logprobs([context + text])
        assert len(after) > len(alone)
        assert after == pytest.approx(whole[len(whole) - len(after) :], abs=1e-4)
        assert await model.prompt_logprobs([text, text], contexts=[context, ""]) == [
            pytest.approx(after, abs=1e-4),
            pytest.approx(alone, abs=1e-4),
        ]

    async def test_other_weights_give_other_logprobs(self, bench: Bench) -> None:
        text = ["def add ( a , b ) : return a + b"]
        first = await (await bench.engine.serve(bench.first)).prompt_logprobs(text)
        second = await (await bench.engine.serve(bench.second)).prompt_logprobs(text)
        again = await (await bench.engine.serve(bench.first)).prompt_logprobs(text)
        assert first != second
        assert again == [pytest.approx(first[0], abs=1e-5)]

    cannot_load: type[MonitorError] = InvalidCheckpoint
    """What is raised for ``bench.unloadable``."""

    async def test_what_it_cannot_load_is_told_and_the_next_one_is_served(self, bench: Bench) -> None:
        with pytest.raises(self.cannot_load) as caught:
            await bench.engine.serve(bench.unloadable)
        assert caught.value.next_step
        model = await bench.engine.serve(bench.first)
        assert len(await collect(model, bench.request("t1", count=2, seed=1))) == 2

    async def test_closing_twice_is_closing_once(self, bench: Bench) -> None:
        await bench.engine.serve(bench.first)
        await bench.engine.close()
        await bench.engine.close()
