"""Reading tracebacks: wordings of old and new versions, stacks, and what surrounds them in logs and notebooks."""

from __future__ import annotations

import textwrap

import pytest

from inplace_lint.explain.traceback import Frame, Kind, NoError, TorchError, parse

STACK = """Traceback (most recent call last):
  File "train.py", line 12, in <module>
    loss.backward()
  File "/opt/conda/lib/python3.7/site-packages/torch/tensor.py", line 221, in backward
    torch.autograd.backward(self, gradient, retain_graph, create_graph)
"""
MODIFIED = (
    "RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation: "
    "[torch.cuda.FloatTensor [3, 4]], which is output 0 of ReluBackward0, is at version 1; expected version 0 instead. "
    "Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "
    "torch.autograd.set_detect_anomaly(True).\n"
)
ANOMALY_1_4 = """/opt/conda/torch/autograd/__init__.py:99: UserWarning: Traceback of forward call that caused the error:
  File "train.py", line 10, in <module>
    y = net(x)
  File "model.py", line 7, in forward
    x = F.relu(self.fc(x))
 (print_stack at /pytorch/torch/csrc/autograd/python_anomaly_mode.cpp:57)
  allow_unreachable=True)  # allow_unreachable flag
"""
ANOMALY_1_8 = ANOMALY_1_4.replace("UserWarning: ", "UserWarning: Error detected in ReluBackward0. ").replace(
    " (print_stack at /pytorch/torch/csrc/autograd/python_anomaly_mode.cpp:57)",
    " (Triggered internally at  /pytorch/torch/csrc/autograd/python_anomaly_mode.cpp:104.)",
)


def error(text: str) -> TorchError:
    found = parse(text)
    assert isinstance(found, TorchError), found
    return found


def test_an_error_of_1_x() -> None:
    found = error(STACK + MODIFIED)
    assert (found.kind, found.tensor, found.shape) == ("modified", "torch.cuda.FloatTensor", (3, 4))
    assert (found.producer, found.output, found.version, found.expected) == ("ReluBackward0", 0, 1, 0)
    assert found.writes == 1
    assert found.raised[0] == Frame("train.py", 12, "<module>", "loss.backward()")
    assert [frame.row for frame in found.raised] == [12, 221]
    assert found.forward == () and found.failed is None
    assert found.message.endswith("expected version 0 instead.")


@pytest.mark.parametrize(("warning", "failed"), [(ANOMALY_1_4, None), (ANOMALY_1_8, "ReluBackward0")])
def test_anomaly_mode_before_the_error_and_after_it(warning: str, failed: str | None) -> None:
    for text in (warning + STACK + MODIFIED, STACK + MODIFIED + warning):
        found = error(text)
        assert found.failed == failed
        assert [(frame.filename, frame.row) for frame in found.forward] == [("train.py", 10), ("model.py", 7)]
        assert [frame.row for frame in found.raised] == [12, 221]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("one of the variables needed for gradient computation has been modified by an inplace operation", "modified"),
        ("a leaf Variable that requires grad has been used in an in-place operation.", "leaf"),
        ("a leaf Variable that requires grad is being used in an in-place operation.", "leaf"),
        ("a view of a leaf Variable that requires grad is being used in an in-place operation.", "leaf-view"),
        ("leaf variable has been moved into the graph interior", "leaf"),
        (
            "Output 0 of UnbindBackward is a view and is being modified inplace. This view is an output of a function that "
            "returns multiple views. Inplace operators on such views are forbidden.",
            "several-views",
        ),
        (
            "Output 1 of SplitBackward0 is a view and its base or another view of its base has been modified inplace. This "
            "view is the output of a function that returns multiple views.",
            "several-views",
        ),
        (
            "Output 0 of MyFnBackward is a view and is being modified inplace. This view was created inside a custom Function",
            "function-view",
        ),
        ("A view was created in no_grad mode and is being modified inplace with grad mode enabled.", "no-grad-view"),
        (
            "Output 0 of Select is a view of a view which was created in no_grad mode and is being modified",
            "no-grad-view",
        ),
        (
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation.",
            "shared-memory",
        ),
        ("Inplace update to inference tensor outside InferenceMode is not allowed.", "inference"),
        ("Inference tensors cannot be saved for backward. To work around you can make a clone", "inference"),
        (
            "Trying to backward through the graph a second time, but the buffers have already been freed. Specify "
            "retain_graph=True when calling backward the first time.",
            "second-backward",
        ),
        (
            "add(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
            "requires grad.",
            "out",
        ),
        ("Can't detach views in-place. Use detach() instead.", "detach-view"),
    ],
)
def test_wordings(message: str, kind: Kind) -> None:
    assert error(f"{STACK}RuntimeError: {message}\n").kind == kind
    wrapped = "\n  ".join(textwrap.wrap(f"RuntimeError: {message}", 40, break_on_hyphens=False))
    assert error(wrapped).kind == kind


def test_a_message_alone_is_enough() -> None:
    found = error(MODIFIED.removeprefix("RuntimeError: "))
    assert (found.kind, found.producer, found.raised) == ("modified", "ReluBackward0", ())
    assert found.message.startswith("one of the variables")


def test_a_tensor_of_no_operation_and_one_of_no_dimension() -> None:
    text = MODIFIED.replace(", which is output 0 of ReluBackward0,", "").replace("[3, 4]", "[]")
    found = error(text)
    assert (found.producer, found.shape, found.version) == (None, (), 1)


def test_prefixes_of_launchers_colours_and_line_ends_of_windows() -> None:
    plain = error(STACK + MODIFIED)
    lines = (STACK + MODIFIED).splitlines()
    for text in (
        "".join(f"[rank0]: {line}\n" for line in lines),
        "".join(f"\x1b[31m{line}\x1b[0m\n" for line in lines),
        "\r\n".join(lines),
    ):
        assert error(text) == plain


def test_a_log_line_that_begins_with_a_time() -> None:
    lines = (STACK + MODIFIED).splitlines()
    found = error("".join(f"2024-01-01 12:00:00,123 ERROR {line}\n" for line in lines))
    assert found.version == 1 and [frame.row for frame in found.raised] == [12, 221]


def test_the_last_of_several_errors_counts() -> None:
    first = STACK + "RuntimeError: a leaf Variable that requires grad is being used in an in-place operation.\n"
    found = error(
        first
        + "\nDuring handling of the above exception, another exception occurred:\n\n"
        + STACK.replace("12", "40")
        + MODIFIED
    )
    assert found.kind == "modified" and found.raised[0].row == 40


def test_code_that_speaks_of_errors_is_not_one() -> None:
    text = STACK.replace("loss.backward()", "x += 1  # a leaf Variable that requires grad") + "ValueError: no\n"
    assert isinstance(parse(text), NoError)


def test_notebooks() -> None:
    found = error(
        "RuntimeError                              Traceback (most recent call last)\n"
        "Cell In[3], line 5\n      3 y = w.exp()\n      4 y += 1\n----> 5 y.sum().backward()\n\n"
        "File ~/lib/tensor.py:500, in Tensor.backward(self)\n    499 a\n--> 500 b\n\n" + MODIFIED
    )
    assert found.raised[0] == Frame("<cell 3>", 5, None, "y.sum().backward()")
    old = error(
        "<ipython-input-3-abc> in <module>\n      4 y += 1\n----> 5 y.sum().backward()\n      6 \n\n" + MODIFIED
    )
    assert old.raised == (Frame("<ipython-input-3-abc>", 5, "<module>", "y.sum().backward()"),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("hello\n", "no traceback"),
        (STACK, "cut off"),
        (STACK.splitlines()[0], "cut off"),
        (ANOMALY_1_8, "ends before the error"),
        (
            STACK + "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB\n",
            "something else: torch.cuda.Out",
        ),
        (
            STACK + "RuntimeError: element 0 of tensors does not require grad\n",
            "something else: RuntimeError: element 0",
        ),
        ('  File "a.c", line 3\nSegmentation fault\n', "cut off"),
    ],
)
def test_what_is_no_such_error_is_said(text: str, reason: str) -> None:
    found = parse(text)
    assert isinstance(found, NoError) and reason in found.reason


def test_no_text_breaks_it() -> None:
    whole = ANOMALY_1_8 + STACK + MODIFIED
    for end in range(0, len(whole), 7):
        parse(whole[:end])
        parse(whole[end:])
    parse("[" * 5000 + MODIFIED * 300)
    parse("\0\ud800" + 'File "", line 99999999999\n' * 10)
