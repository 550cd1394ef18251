"""The examples in the rules' documentation: the linter must say of them what the page says, and so must PyTorch."""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from inplace_lint.api import check_source
from inplace_lint.rules import Rule, all_rules, documentation

WITH_EXAMPLES = [rule for rule in all_rules() if documentation(rule).bad is not None]
RUNNABLE = [rule for rule in WITH_EXAMPLES if rule.outcome != "nothing"]


def by_code(rule: Rule) -> str:
    return rule.code


def run(code: str) -> dict[str, Any]:
    """Runs an example and returns its names."""
    torch.manual_seed(0)
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, "example.py", "exec"), names)
    return names


def gradients(code: str) -> dict[str, torch.Tensor]:
    """The gradients of the example's leaves after it has run."""
    tensors = {name: value for name, value in run(code).items() if isinstance(value, torch.Tensor) and value.is_leaf}
    return {name: value.grad for name, value in tensors.items() if value.grad is not None}


def true_gradients(code: str) -> dict[str, torch.Tensor]:
    """The gradients when every saved tensor is kept as it was when it was saved."""
    with saved_tensors_hooks(lambda saved: saved.detach().clone(), lambda saved: saved):
        return gradients(code)


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.allclose(left[name], right[name]) for name in left)


@pytest.mark.parametrize("rule", WITH_EXAMPLES, ids=by_code)
def test_the_bad_example_is_found_on_the_marked_line_and_the_good_one_is_clean(rule: Rule) -> None:
    page = documentation(rule)
    assert page.bad is not None and page.good is not None
    marked = [row for row, line in enumerate(page.bad.splitlines(), 1) if line.endswith(f"# {rule.code}")]
    assert len(marked) == 1
    assert [(it.code, it.span.start.row) for it in check_source(page.bad)] == [(rule.code, marked[0])]
    assert check_source(page.good) == []


@pytest.mark.parametrize("rule", RUNNABLE, ids=by_code)
def test_pytorch_does_to_the_bad_example_what_the_page_says(rule: Rule) -> None:
    page = documentation(rule)
    assert page.bad is not None
    if rule.outcome == "wrong-gradients":
        assert not same(gradients(page.bad), true_gradients(page.bad))
        return
    documented = re.findall(r"```text\n(.*?)```", page.sections["What PyTorch says"], re.DOTALL)
    texts = [" ".join(text.split()) for text in documented]
    if rule.outcome == "warns":
        with pytest.warns(UserWarning) as caught:
            run(page.bad)
        said = [f"UserWarning: {entry.message}" for entry in caught]
    else:
        with pytest.raises((RuntimeError, TypeError)) as raised, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run(page.bad)
        said = [f"{raised.type.__name__}: {raised.value}"]
    assert any(text[:70] in line for text in texts for line in said), said


@pytest.mark.parametrize("rule", RUNNABLE, ids=by_code)
def test_the_good_example_runs_with_true_gradients(rule: Rule, recwarn: pytest.WarningsRecorder) -> None:
    page = documentation(rule)
    assert page.good is not None
    assert same(gradients(page.good), true_gradients(page.good))
    assert not [entry for entry in recwarn if ".grad attribute" in str(entry.message)]


@pytest.mark.parametrize("rule", [rule for rule in RUNNABLE if rule.outcome != "wrong-gradients"], ids=by_code)
def test_the_findings_torch_error_is_pytorchs_own(rule: Rule) -> None:
    """What a finding quotes is what PyTorch prints, up to the dots that stand for shapes and versions."""
    page = documentation(rule)
    assert page.bad is not None
    (found,) = check_source(page.bad)
    if found.torch_error is None:
        assert rule.code == "IPL503"  # the error comes one iteration later, and is Python's
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            run(page.bad)
            said = " ".join(str(entry.message) for entry in caught)
        except RuntimeError as error:
            said = str(error)
    pattern = re.escape(found.torch_error).replace(re.escape("..."), ".*?")
    assert re.match(pattern, said, re.DOTALL), said
