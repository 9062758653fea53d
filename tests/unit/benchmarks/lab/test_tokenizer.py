"""The tokenizer keeps digits apart, starts prompts as a server does, and loses nothing."""

import pytest

pytest.importorskip("tokenizers")

from benchmarks.lab.suite import training_corpus
from benchmarks.lab.tokenizer import BOS, EOS, VOCABULARY, encode_body, encode_prompt, train_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(example.prompt + example.body for example in training_corpus()[:3000])


def test_digits_are_single_tokens(tokenizer):
    assert tokenizer.encode("2024", add_special_tokens=False).tokens == [
        "2",
        "0",
        "2",
        "4",
    ]
    assert not [token for token in tokenizer.get_vocab() if sum(char.isdigit() for char in token) > 1]


def test_the_vocabulary_is_no_larger_than_stated(tokenizer):
    assert tokenizer.get_vocab_size() <= VOCABULARY


def test_a_prompt_starts_with_the_start_token_and_a_body_ends_with_the_end_token(tokenizer):
    prompt, body = encode_prompt(tokenizer, "# Sort xs\n"), encode_body(tokenizer, "    return sorted(xs)")
    assert prompt[0] == tokenizer.token_to_id(BOS)
    assert prompt.count(prompt[0]) == 1
    assert body[-1] == tokenizer.token_to_id(EOS)
    assert tokenizer.token_to_id(BOS) not in body


def test_decoding_gives_back_the_indented_text(tokenizer):
    for example in training_corpus()[:200]:
        assert tokenizer.decode(encode_body(tokenizer, example.body)) == example.body


def test_training_twice_gives_the_same_tokenizer(tokenizer):
    again = train_tokenizer(example.prompt + example.body for example in training_corpus()[:3000])
    assert again.to_str() == tokenizer.to_str()
