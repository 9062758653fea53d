"""Forms in which models of known families answer, each with the program that a reader would take.

In an answer, ``@`` stands for the right program, ``¤`` for the same without its last line end, and ``§`` for
one that is wrong, in the language of the form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitor.domain.samples import FinishReason, ReasoningMarks

PROMPTS = {
    "python": "def double(x):\n",
    "ruby": "def double(x)\n",
    "javascript": "function double(x) {\n",
    "lua": "function double(x)\n",
    "racket": "#lang racket\n(define (double x)\n",
    "perl": "sub double {\n",
    "go": "package main\n\nfunc double(x int) int {\n",
}
RIGHT = {
    "python": "def double(x):\n    return 2 * x\n",
    "ruby": "def double(x)\n  2 * x\nend\n",
    "javascript": "function double(x) {\n  return 2 * x;\n}\n",
    "lua": "function double(x)\n  return 2 * x\nend\n",
    "racket": "#lang racket\n(define (double x) (* 2 x))\n",
    "perl": "sub double {\n    return 2 * $_[0];\n}\n",
    "go": "package main\n\nfunc double(x int) int {\n\treturn 2 * x\n}\n",
}
WRONG = {
    "python": "def double(x):\n    return 12345\n",
    "ruby": "def double(x)\n  12345\nend\n",
    "javascript": "function double(x) {\n  return 12345;\n}\n",
    "lua": "function double(x)\n  return 12345\nend\n",
    "racket": "#lang racket\n(define (double x) 12345)\n",
    "perl": "sub double {\n    return 12345;\n}\n",
    "go": "package main\n\nfunc double(x int) int {\n\treturn 12345\n}\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to answer."""

    family: str
    """Whose habit it is."""
    title: str
    answer: str
    expected: str = "@"
    """The source, stripped of blank lines around it; empty for none."""
    language: str = "python"
    prompt: str | None = None
    """None for the language's own."""
    finish: FinishReason = FinishReason.STOP
    detail: str = ""
    """How the detail begins where there is no program."""
    marks: tuple[ReasoningMarks, ...] = ()

    @property
    def text(self) -> str:
        return self.filled(self.answer)

    @property
    def source(self) -> str:
        return self.filled(self.expected).strip("\n")

    def filled(self, text: str, program: str | None = None) -> str:
        """The text with programs in place of their signs."""
        right = RIGHT[self.language] if program is None else program
        programs = {"@": right, "¤": right.rstrip("\n"), "§": WRONG[self.language]}
        return re.sub("[@¤§]", lambda sign: programs[sign[0]], text)


def _form(family: str, title: str, answer: str, expected: str = "@", **others: object) -> Form:
    return Form(family=family, title=title, answer=answer, expected=expected, **others)


_CUT = {"finish": FinishReason.LENGTH}
_FENCED = "```python\n@```\n"
_DRAFT = "```python\n§```\n"
_USAGE = "```python\nprint(double(4))\n```\n"

REASONING = (
    _form("Qwen3", "think element", f"<think>\n{_DRAFT}no\n</think>\n\n{_FENCED}"),
    _form("Qwen3", "empty think element", f"<think>\n\n</think>\n\n{_FENCED}"),
    _form("QwQ", "reasoning opened by the template", f"Try {_DRAFT}Hm.\n</think>\n\n{_FENCED}"),
    _form("DeepSeek-R1", "fence left open in the reasoning", f"<think>\n```python\n§</think>\n{_FENCED}"),
    _form(
        "DeepSeek-R1",
        "end token with full-width bars",
        f"{_FENCED.rstrip()}<\uff5cend\u2581of\u2581sentence\uff5c>",
    ),
    _form("DeepSeek-R1-Zero", "answer element", f"<think>\n{_DRAFT}</think>\n<answer>\n{_FENCED}</answer>"),
    _form("DeepSeek-R1-Zero", "fence touching the answer element", f"<answer>{_FENCED.rstrip()}</answer>"),
    _form("Magistral", "THINK tags", f"[THINK]\n{_DRAFT}no\n[/THINK]\n{_FENCED}"),
    _form("Magistral", "THINK tags on one line", f"[THINK]Multiply.[/THINK]{_FENCED}"),
    _form("Seed-OSS", "seed:think", f"<seed:think>\n{_DRAFT}</seed:think>\n{_FENCED}"),
    _form(
        "Seed-OSS",
        "budget notes in the reasoning",
        f"<seed:think>\n<seed:cot_budget_reflect>400 left</seed:cot_budget_reflect>\n{_DRAFT}"
        f"</seed:think>{_FENCED}",
    ),
    _form("Kimi", "triangles", f"◁think▷\n{_DRAFT}◁/think▷\n{_FENCED}"),
    _form(
        "gpt-oss",
        "harmony channels",
        f"<|channel|>analysis<|message|>\n{_DRAFT}<|end|><|start|>assistant<|channel|>final<|message|>"
        f"\n{_FENCED}<|return|>",
    ),
    _form(
        "gpt-oss",
        "commentary, and a constrained final channel",
        f"<|channel|>commentary<|message|>{_DRAFT}<|end|><|start|>assistant<|channel|>final "
        f"<|constrain|>code<|message|>{_FENCED}",
    ),
    _form("gpt-oss", "channels without their tokens", f"analysisWe need\n{_DRAFT}assistantfinal{_FENCED}"),
    _form(
        "gpt-oss",
        "analysis only",
        f"<|channel|>analysis<|message|>{_DRAFT}",
        "",
        detail="reasoning only, truncated after 9 tokens",
        **_CUT,
    ),
    _form(
        "gpt-oss", "analysis only, tokens dropped", f"analysisWe need {_DRAFT}", "", detail="reasoning only"
    ),
    _form(
        "OpenThinker",
        "thought and solution",
        f"<|begin_of_thought|>\n{_DRAFT}<|end_of_thought|>\n<|begin_of_solution|>\n{_FENCED}<|end_of_solution|>",
    ),
    _form("EXAONE", "thought element", f"<thought>\n{_DRAFT}</thought>\n{_FENCED}"),
    _form(
        "Reflection",
        "thinking, reflection, output",
        f"<thinking>\n{_DRAFT}<reflection>no</reflection>\n</thinking>\n<output>\n{_FENCED}</output>",
    ),
    _form("Claude", "analysis element", f"<analysis>\n{_DRAFT}</analysis>\n\n{_FENCED}"),
    _form("Claude", "scratchpad element", f"<scratchpad>\n{_DRAFT}</scratchpad>\n{_FENCED}"),
    _form(
        "Command-A",
        "thinking and response tokens",
        f"<|START_THINKING|>{_DRAFT}<|END_THINKING|><|START_RESPONSE|>{_FENCED}<|END_RESPONSE|>",
    ),
    _form(
        "Granite",
        "a sentence before each part",
        f"Here is my thought process:\n{_DRAFT}\nHere is my response:\n{_FENCED}",
    ),
    _form(
        "Apriel",
        "final response in brackets",
        f"Here are my reasoning steps:\n§\n[BEGIN FINAL RESPONSE]\n{_FENCED}[END FINAL RESPONSE]",
    ),
    _form("Gemma", "thought channel", f"<|channel>thought\n{_DRAFT}<channel|>{_FENCED}<turn|>"),
    _form(
        "Phi-4-reasoning", "reasoning after the answer too", f"<think>a</think>\n{_FENCED}<think>b</think>"
    ),
    _form("Hermes", "upper case", f"<THINK>\n{_DRAFT}</THINK>\n{_FENCED}"),
    _form("GLM-Z1", "reasoning that never ends", f"<think>\n{_DRAFT}", "", detail="reasoning only"),
    _form(
        "GLM-Z1",
        "reasoning that was cut off",
        f"<think>\n{_DRAFT}",
        "",
        detail="reasoning only, truncated after 9 tokens",
        **_CUT,
    ),
    _form(
        "a model of one's own",
        "marks from the configuration",
        f"(((\n{_DRAFT})))\n{_FENCED}",
        marks=(ReasoningMarks(open="(((", close=")))"),),
    ),
    _form(
        "any",
        "a mark in the program is code",
        "```python\ndef double(x):\n    '''\n<think>\n    '''\n    return 2 * x\n```\n",
        "def double(x):\n    '''\n<think>\n    '''\n    return 2 * x\n",
    ),
)

FENCES = (
    _form("GPT", "prose around", f"Sure! Here it is:\n\n{_FENCED}\nThis doubles `x`."),
    _form(
        "Qwen2.5-Coder",
        "closing fence on the last line of code",
        "```python\n¤```",
    ),
    _form(
        "Qwen2.5-Coder",
        "closing fence on the last line, then a usage example",
        f"```python\n¤```\n\nUse it so:\n{_USAGE}",
    ),
    _form(
        "Qwen2.5-Coder",
        "closing fence on the last line, then a bare block",
        "```python\n¤```\nOutput:\n```\n8\n```\n",
    ),
    _form("Qwen2.5", "end-of-turn token behind the fence", f"{_FENCED.rstrip()}<|im_end|>"),
    _form(
        "Qwen2.5",
        "another turn behind the end of the first",
        f"{_FENCED.rstrip()}<|im_end|>\n<|im_start|>user\nNow wrong:\n{_DRAFT}",
    ),
    _form("Llama-3", "eot token after the fence", f"{_FENCED}<|eot_id|>"),
    _form(
        "Llama-3", "header before the answer", f"<|start_header_id|>assistant<|end_header_id|>\n\n{_FENCED}"
    ),
    _form("Llama-3", "python tag", "<|python_tag|>@<|eom_id|>"),
    _form("Llama-2", "instruction tag behind it", f"{_FENCED}[INST] now another [/INST]\n{_DRAFT}"),
    _form("Mistral", "end of sequence behind the fence", f"{_FENCED.rstrip()}</s>"),
    _form("Gemma", "end of turn behind the fence", f"{_FENCED.rstrip()}<end_of_turn>"),
    _form("Gemma", "tool_code fence", "```tool_code\n@```"),
    _form("Gemma", "a notebook's install line in the block", "```python\n!pip install numpy\n@```"),
    _form("Phi", "end token in an unclosed block", "```python\n@<|end|>"),
    _form("Phi", "unclosed block", "```python\n@"),
    _form("Phi", "unclosed block, prose behind", "```python\n@\nThis function doubles its argument.\n"),
    _form("Granite", "prose on the closing fence's line", f"{_FENCED.rstrip()} This function doubles it."),
    _form("Granite", "opening fence behind prose", "Here is the code: ```python\n@```\n"),
    _form("CodeLlama", "PYTHON tags", "[PYTHON]\n@[/PYTHON]\n[TESTS]\nassert double(1) == 2\n[/TESTS]"),
    _form("CodeLlama", "upper-case tag", "```PYTHON\n@```"),
    _form("StarCoder2", "python3 tag", "```python3\n@```"),
    _form("StarCoder2", "py tag", "```py\n@```"),
    _form("StarCoder2", "language on the first line in the block", "```\npython\n@```"),
    _form("OpenCoder", "title on the fence", '```python title="double.py"\n@```'),
    _form("Yi-Coder", "file name on the fence", "```python:double.py\n@```"),
    _form("RMarkdown", "braces on the fence", "```{python}\n@```"),
    _form("DeepSeek-Coder", "tilde fence", "~~~python\n@~~~"),
    _form("DeepSeek-Coder", "tilde fence on the last line", "~~~python\n¤~~~"),
    _form(
        "InternLM", "CRLF", _FENCED.replace("\n", "\r\n").replace("@", RIGHT["python"].replace("\n", "\r\n"))
    ),
    _form("Claude", "document in a longer fence", f"````markdown\n# Solution\n{_FENCED}````\n"),
    _form("Claude", "document in a fence of the same length", f"```markdown\n{_FENCED}```\n"),
    _form(
        "Claude",
        "list item",
        "1. Write it:\n\n   ```python\n   def double(x):\n       return 2 * x\n   ```\n2. Done.",
    ),
    _form(
        "Claude", "bullet on the fence's line", "- ```python\n  def double(x):\n      return 2 * x\n  ```\n"
    ),
    _form("Claude", "artifact", '<antArtifact identifier="a" language="python">\n@</antArtifact>'),
    _form("Llama-3", "block quote", "> ```python\n> def double(x):\n>     return 2 * x\n> ```\n"),
    _form("GPT", "indented program", "```python\n    def double(x):\n        return 2 * x\n```"),
    _form(
        "GPT",
        "indented program, prose cut off",
        "```python\n    def double(x):\n        return 2 * x\n```\nThis fun",
        **_CUT,
    ),
    _form(
        "GPT",
        "fence in a docstring",
        '```python\ndef double(x):\n    """\n    ```\n    double(1)\n    ```\n    """\n    return 2 * x\n```',
        'def double(x):\n    """\n    ```\n    double(1)\n    ```\n    """\n    return 2 * x\n',
    ),
    _form(
        "GPT",
        "backticks at the end of a comment",
        "```python\ndef double(x):  # as in ```2 * x```\n    return 2 * x\n```",
        "def double(x):  # as in ```2 * x```\n    return 2 * x\n",
    ),
    _form("Bard", "HTML", "<pre><code>@</code></pre>"),
    _form(
        "Bard",
        "HTML with entities",
        '<pre><code class="language-python">def double(x):\n    return x &lt;&lt; 1\n</code></pre>',
        "def double(x):\n    return x << 1\n",
    ),
    _form(
        "Bard",
        "HTML whose program writes entities itself",
        "<pre><code>def double(x):\n    return x * len('&lt;&gt;') // 4\n</code></pre>",
        "def double(x):\n    return x * len('&lt;&gt;') // 4\n",
    ),
    _form("Bard", "code element in prose", "The function is <code>@</code> as asked."),
    _form(
        "GPT",
        "a JSON object in a fence, another in it",
        'As asked:\n```json\n{"plan": "easy", "result": {"code": "def double(x):\\n    return 2 * x\\n"}}\n```',
    ),
    _form(
        "Gemini",
        "a JSON object with a fence in its text",
        '{"code": "```python\\ndef double(x):\\n    return 2 * x\\n```"}',
    ),
    _form(
        "Claude",
        "a skeleton behind the program",
        "```python\n@```\nTo adapt it:\n```python\ndef double(x):\n    raise NotImplementedError('yours')\n```",
    ),
    _form("GPT", "a JSON object", '{"explanation": "easy", "code": "def double(x):\\n    return 2 * x\\n"}'),
    _form(
        "PaLM", "indented behind prose", "Here it is:\n\n    def double(x):\n        return 2 * x\n\nDone."
    ),
    _form("GPT", "parenthesis on the closing fence's line", f"{_FENCED.rstrip()} (O(1) time)"),
    _form("Llama-3", "a fence closed by the other kind", "```python\n@~~~"),
    _form("Olmo", "LaTeX", "\\begin{lstlisting}[language=Python]\n@\\end{lstlisting}"),
    _form(
        "SmolLM",
        "code between single backticks",
        "It is `double = lambda x: 2 * x`.",
        "double = lambda x: 2 * x",
    ),
    _form("SmolLM", "all on one line", "```python double = lambda x: 2 * x```", "double = lambda x: 2 * x"),
    _form("base model", "no fence", "@\nThis doubles the number."),
    _form("base model", "no fence, prose before", "Sure, here it is:\n\n@"),
    _form("base model", "no fence, a transcript behind", "@\nExample:\n\n```\n>>> double(1)\n2\n```\n"),
    _form(
        "base model",
        "no fence, a library in one before",
        "```python\nimport math\n```\nThen:\n\ndef double(x):\n    return 2 * x\n",
    ),
    _form("base model", "a word, and a body in a fence", "Solution\n```python\nreturn 2 * x\n```"),
    _form("base model", "only a body", "    return 2 * x\n"),
    _form("base model", "only a body, in a fence of no language", "```text\nreturn 2 * x\n```"),
    _form("base model", "only a body, in a fence at the margin", "```python\nreturn 2 * x\n```"),
    _form("base model", "no fence, end token", "@<|endoftext|>"),
    _form("base model", "an interpreter's transcript", "```\n>>> def double(x):\n...     return 2 * x\n```"),
)

BLOCKS = (
    _form("Qwen", "usage example behind", f"{_FENCED}Usage:\n{_USAGE}"),
    _form(
        "Qwen",
        "usage that reads input in the same block",
        "```python\n@\nn = int(input())\nprint(double(n))\n```",
    ),
    _form(
        "GPT",
        "tests in the same block that leave the interpreter",
        "```python\nimport unittest\n@\nclass T(unittest.TestCase):\n    pass\n\nunittest.main()\n```",
        "import unittest\n@\nclass T(unittest.TestCase):\n    pass\n",
    ),
    _form("Llama", "shell block first", f"```bash\npip install numpy\n```\n{_FENCED}"),
    _form("Llama", "expected output behind", f"{_FENCED}Output:\n```text\ndouble(4) = 8\n```"),
    _form(
        "GPT",
        "tests in a block behind",
        f"{_FENCED}Tests:\n```python\nimport unittest\n\nclass TestDouble(unittest.TestCase):\n"
        "    def test(self):\n        self.assertEqual(double(1), 2)\n```",
    ),
    _form("GPT", "tests before", f"```python\nassert double(1) == 2\n```\n{_FENCED}"),
    _form("DeepSeek", "its own correction", f"{_DRAFT}That is wrong, corrected:\n{_FENCED}"),
    _form("DeepSeek", "an alternative: the last counts", f"{_DRAFT}Alternatively:\n{_FENCED}"),
    _form(
        "DeepSeek",
        "draft closed well, final one badly",
        f"{_DRAFT}Better:\n```python\n¤```\nDone.",
    ),
    _form(
        "Mistral", "a correction that does not parse", f"{_FENCED}Or:\n```python\ndef double(x) return x\n```"
    ),
    _form(
        "Mistral",
        "the head again behind it",
        f"{_FENCED}So the head is:\n```python\ndef double(x):\n    ...\n```",
    ),
    _form(
        "Mistral",
        "another language's version behind",
        f"{_FENCED}In JavaScript:\n```js\nconst double = x => 2 * x;\n```",
    ),
    _form(
        "Codestral",
        "imports in one block, the function in the next",
        "First:\n```python\nimport math\n```\nThen:\n```python\ndef double(x):\n    return math.prod([2, x])\n```",
        "import math\ndef double(x):\n    return math.prod([2, x])\n",
    ),
    _form(
        "Codestral",
        "a helper in a block behind",
        "```python\ndef double(x):\n    return times(x, 2)\n```\nwith\n"
        "```python\ndef times(a, b):\n    return a * b\n```",
        "def times(a, b):\n    return a * b\ndef double(x):\n    return times(x, 2)\n",
    ),
    _form(
        "Codestral",
        "an import of the future stays in front",
        "```python\nimport math\n```\n```python\nfrom __future__ import annotations\n"
        "def double(x):\n    return math.prod([2, x])\n```",
        "from __future__ import annotations\nimport math\ndef double(x):\n    return math.prod([2, x])\n",
    ),
    _form("Phi", "prose cut off behind a whole block", f"{_FENCED}This function doub", **_CUT),
    _form(
        "Phi", "a second block cut off behind a whole one", f"{_FENCED}Usage:\n```python\nprint(doub", **_CUT
    ),
    _form(
        "Phi",
        "reasoning, a whole block, prose cut off",
        f"<think>\n{_DRAFT}</think>\n{_FENCED}So this",
        **_CUT,
    ),
    _form(
        "Phi",
        "a block cut off",
        "```python\ndef double(x):\n    return 2",
        "",
        detail="truncated after 9",
        **_CUT,
    ),
    _form("Phi", "code without fences cut off", "@", "", detail="truncated after 9 tokens", **_CUT),
    _form(
        "Phi",
        "prose cut off before any code",
        "To double a number we",
        "",
        detail="truncated after 9",
        **_CUT,
    ),
    _form("Ministral", "nothing", " \n", "", detail="empty completion"),
    _form("Ministral", "nothing but an end token", "<|im_end|>", "", detail="empty completion"),
    _form("Ministral", "an empty block", "```python\n```", "", detail="no code in the answer"),
)

OTHER_LANGUAGES = (
    _form("Qwen", "Ruby", "Here:\n```ruby\n@```\nDone.", language="ruby"),
    _form("Qwen", "Ruby, short tag", "```rb\n@```", language="ruby"),
    _form("Qwen", "Ruby, fence on the last line", "```ruby\n¤```", language="ruby"),
    _form(
        "Qwen",
        "Ruby, fence on the last line and a usage example",
        "```ruby\n¤```\nUse:\n```ruby\nputs double(1)\n```",
        language="ruby",
    ),
    _form(
        "Codestral",
        "Ruby, library in a block before",
        "```ruby\nrequire 'set'\n```\n```ruby\n@```",
        "require 'set'\n@",
        language="ruby",
    ),
    _form("Kimi", "JavaScript", "◁think▷```js\n§```◁/think▷\n```javascript\n@```", language="javascript"),
    _form("Llama", "JavaScript, shell before", "```sh\nnpm init\n```\n```js\n@```", language="javascript"),
    _form("Gemma", "Lua, correction", "```lua\n§```\nBetter:\n```lua\n@```<end_of_turn>", language="lua"),
    _form("GPT", "Racket under another Lisp's tag", "```scheme\n@```", language="racket"),
    _form(
        "Mistral",
        "Ruby, Python's version behind",
        "```ruby\n@```\nIn Python:\n```python\ndef double(x):\n    return 12345\n```",
        language="ruby",
    ),
    _form("Granite", "Perl, prose behind the fence", "```perl\n@``` That is the sub.", language="perl"),
    _form("GPT", "Perl with its end marked", "```perl\n@\n__END__\n\n=head1 NAME\n```", language="perl"),
    _form("Claude", "Ruby with its end marked", "```ruby\n@__END__\n```", language="ruby"),
    _form("StarCoder2", "Perl, no fence", "@", language="perl"),
    _form(
        "StarCoder2",
        "Ruby, only a body, behind a longer shell block",
        "```sh\ngem install --no-document bundler\n```\n```ruby\n  2 * x\nend\n```",
        language="ruby",
    ),
    _form("Claude", "Go, list item with tabs", "```go\n@```\n", language="go"),
    _form(
        "Seed-OSS",
        "Ruby after reasoning",
        "<seed:think>\n```ruby\n§```\n</seed:think>\n```ruby\n@```",
        language="ruby",
    ),
    _form("Phi", "Ruby, prose cut off", "```ruby\n@```\nThis meth", language="ruby", **_CUT),
    _form(
        "Bard",
        "JavaScript in HTML",
        "<pre><code>function double(x) { return x &lt;&lt; 1; }</code></pre>",
        "function double(x) { return x << 1; }",
        language="javascript",
    ),
)

FORMS = (*REASONING, *FENCES, *BLOCKS, *OTHER_LANGUAGES)
