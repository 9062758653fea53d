import json

import pytest

from monitor.domain.errors import InvalidCorpus
from monitor.suites.request_logs import count_requests, programs

CODE = "```python\nimport heapq\nheapq.merge(a, b)\n```"


def log(folder, *requests):
    path = folder / "requests.jsonl"
    path.write_text("".join(json.dumps(request) + "\n" for request in requests), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "request_",
    [
        {"prompt": CODE},
        {"prompt": [CODE]},
        {"completion": CODE},
        {"prompt": "import heapq\nheapq.merge(a, b)"},
        {
            "messages": [
                {"role": "system", "content": "```python\nsum(a)\n```"},
                {"role": "user", "content": CODE},
            ]
        },
        {"messages": [{"role": "user", "content": [{"type": "text", "text": CODE}]}]},
        {"custom_id": "1", "body": {"model": "m", "messages": [{"role": "user", "content": CODE}]}},
        {"request": {"prompt": "Hello"}, "response": {"choices": [{"message": {"content": CODE}}]}},
    ],
)
def test_code_is_found_however_a_request_is_wrapped(tmp_path, request_):
    table = count_requests(log(tmp_path, request_))
    assert table.counts == {"import:heapq": 1, "heapq.merge": 1}
    assert table.name == "requests"


def test_languages_have_their_share_of_the_programs(tmp_path):
    table = count_requests(log(tmp_path, {"prompt": CODE}, {"prompt": "```rb\nputs 1\n```"}))
    assert table.language_shares == {"python": 0.5, "ruby": 0.5}


MERGE = {
    "prompt": "import heapq\n\ndef merge_all(a, b):\n",
    "completion": "    return list(heapq.merge(a, b))\n",
}


@pytest.mark.parametrize(
    "request_",
    [
        MERGE,
        {"request": {"prompt": MERGE["prompt"]}, "response": {"choices": [{"text": MERGE["completion"]}]}},
        {"prompt": MERGE["prompt"] + "    return list(", "completion": "heapq.merge", "suffix": "(a, b))\n"},
        {"prompt": "import heapq\n", "completion": "list(heapq.merge(a, b))\n"},
    ],
)
def test_a_prompt_and_its_completion_are_one_program(tmp_path, request_):
    table = count_requests(log(tmp_path, request_))
    assert (table.documents, table.counts) == (1, {"import:heapq": 1, "heapq.merge": 1, "list": 1})


def test_each_choice_completes_the_prompt(tmp_path):
    choices = [{"text": "sum(x)"}, {"text": "memoryview(x)"}]
    table = count_requests(log(tmp_path, {"prompt": "y = ", "response": {"choices": choices}}))
    assert (table.documents, table.counts) == (2, {"sum": 1, "memoryview": 1})


def test_prose_behind_a_prompt_leaves_the_prompts_own_program(tmp_path):
    table = count_requests(log(tmp_path, {"prompt": "sum(x)", "completion": " adds up what is in x"}))
    assert table.counts == {"sum": 1}


def said(role, text):
    return {"role": role, "content": text}


SUM, VIEW = "```python\nsum(a)\n```", "```python\nmemoryview(a)\n```"


def test_what_a_chat_sends_again_with_every_turn_counts_once(tmp_path):
    first = [said("user", SUM)]
    second = [*first, said("assistant", VIEW), said("user", "Why?")]
    third = [*second, said("assistant", "So."), said("user", "Thanks.")]
    answered = {"choices": [{"message": said("assistant", VIEW)}]}
    lines = [{"messages": first, "response": answered}, {"messages": second}, {"messages": third}]
    assert count_requests(log(tmp_path, *lines)).counts == {"sum": 1, "memoryview": 1}


def test_earlier_turns_that_the_log_lacks_count_when_they_are_met(tmp_path):
    chat = [said("user", SUM), said("assistant", VIEW), said("user", "Why?")]
    assert count_requests(log(tmp_path, {"messages": chat})).counts == {"sum": 1, "memoryview": 1}


def test_the_same_question_asked_anew_counts_anew(tmp_path):
    asked = {"messages": [said("user", SUM)]}
    assert count_requests(log(tmp_path, asked, asked)).counts == {"sum": 2}


def test_code_that_an_answer_repeats_counts_once(tmp_path):
    chat = {"messages": [said("user", SUM), said("assistant", SUM)]}
    assert count_requests(log(tmp_path, chat)).counts == {"sum": 1}


def test_output_and_prose_are_no_programs():
    assert list(programs("```text\nsum(a)\n```\n```json\n{}\n```")) == []
    assert list(programs("Please sum these.")) == []
    assert list(programs("```\nsum(a)\n```")) == [("python", "sum(a)\n")]


def test_a_log_without_programs_is_refused(tmp_path):
    with pytest.raises(InvalidCorpus, match="no programs"):
        count_requests(log(tmp_path, {"prompt": "Hello"}))


def test_a_broken_line_is_named(tmp_path):
    path = tmp_path / "requests.jsonl"
    path.write_text('{"prompt": "x"}\n{', encoding="utf-8")
    with pytest.raises(InvalidCorpus, match="line 2"):
        count_requests(path)
