"""PyTorch's own words, as PyTorch 2.13 prints them (older wordings stand in the rules' documentation).

What only a run can know, such as shapes and version numbers, is left as dots.
"""

from __future__ import annotations

LEAF = "a leaf Variable that requires grad is being used in an in-place operation."
VIEW_OF_LEAF = "a view of a leaf Variable that requires grad is being used in an in-place operation."

OUT = (
    "{op}(): functions with out=... arguments don't support automatic differentiation, "
    "but one of the arguments requires grad."
)

_MODIFIED = (
    "one of the variables needed for gradient computation has been modified by an inplace operation: "
    "[torch.FloatTensor [...]]{producer} is at version ...; expected version ... instead."
)


def modified(producer: str | None) -> str:
    """What backward says of an overwritten saved tensor; ``producer`` is the node that made the tensor, where known."""
    return _MODIFIED.format(producer=f", which is output 0 of {node_name(producer)}," if producer else "...")


def node_name(node: str) -> str:
    """A node's name as 2.13 prints it in messages: ``Relu`` for ``ReluBackward0``."""
    return node.rstrip("0123456789").removesuffix("Backward") or node


_SEVERAL = (
    "Output {number} of {node} is a view and {what} modified inplace. This view is the output of a function that "
    "returns multiple views. Such functions do not allow the output views to be modified inplace. "
    "You should replace the inplace operation by an out-of-place one."
)
_NO_GRAD = (
    "A view was created in {mode} and {what} modified inplace with grad mode enabled. Given that this use case is "
    "ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace "
    "either both inside the {block} block (if you don't want the inplace to be tracked) or both outside "
    "(if you want the inplace to be tracked)."
)
_ITSELF = "is being"
_THROUGH_BASE = "its base or another view of its base has been"


def several_outputs(*, through_base: bool) -> str:
    """What PyTorch says of a written piece of a split; ``through_base`` where the base was what was written."""
    return _SEVERAL.format(number="...", node="...", what=_THROUGH_BASE if through_base else _ITSELF)


def untracked_view(*, inference: bool, through_base: bool) -> str:
    """What PyTorch says of a view that was made with grad mode off and is written with grad mode on."""
    what = _THROUGH_BASE if through_base else _ITSELF
    mode = "inference mode" if inference else "no_grad mode"
    return _NO_GRAD.format(mode=mode, what=what, block="inference_mode" if inference else "no_grad")


FUNCTION_VIEW = (
    "Output 0 of ... is a view and is being modified inplace. This view was created inside a custom Function (or "
    "because an input was returned as-is) and the autograd logic to handle view+inplace would override the custom "
    "backward associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. "
    "You can fix this by cloning the output of the custom Function."
)
DETACH_VIEW = "Can't detach views in-place. Use detach() instead."
EXPANDED = (
    "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
    "Please clone() the tensor before performing the operation."
)
INFERENCE_WRITTEN = (
    "Inplace update to inference tensor outside InferenceMode is not allowed."
    "You can make a clone to get a normal tensor before doing inplace update."
)
INFERENCE_SAVED = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
    "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in "
    "autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
)
SECOND_BACKWARD = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)
INTERIOR_GRAD = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
    "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, "
    "use .retain_grad() on the non-leaf Tensor."
)
