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
