"""Stubs of other libraries: each runs in torch, and what the linter says of code that uses it is what torch says."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from inplace_lint.api import check_source
from inplace_lint.project.stubs import FOLDER, SUFFIX, stubs


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Modules of the libraries' names, made of the stubs."""
    spaces: dict[str, dict[str, object]] = {}
    for key in {key for key, _ in stubs().values()}:
        spaces[key] = {"__name__": Path(key).stem}
        exec(compile(Path(key).read_text(encoding="utf-8"), key, "exec"), spaces[key])
    for path, (key, name) in stubs().items():
        parts = path.split(".")
        above: types.ModuleType | None = None
        for depth in range(1, len(parts)):
            dotted = ".".join(parts[:depth])
            module = sys.modules.get(dotted)
            if module is None:
                module = types.ModuleType(dotted)
                monkeypatch.setitem(sys.modules, dotted, module)
            if above is not None:
                monkeypatch.setattr(above, parts[depth - 1], module, raising=False)
            above = module
        monkeypatch.setattr(above, parts[-1], spaces[key][name], raising=False)
    yield


PROGRAM = """\
import torch
{imports}

x = torch.randn(2, {channels}, 32, 32)
y = {made}(x)
y += 1
y.sum().backward()
"""
CASES = [
    ("from mmcv.cnn import ConvModule", "ConvModule(4, 4, 1)", 4, True),
    ("from mmcv.cnn import ConvModule", "ConvModule(4, 4, 1, norm_cfg=dict(type='BN'))", 4, True),
    ("from mmcv.cnn import ConvModule", "ConvModule(4, 4, 1, norm_cfg=dict(type='BN'), act_cfg=None)", 4, False),
    ("import mmcv.cnn as cnn", "cnn.ConvModule(4, 4, 1, order=('act', 'conv'))", 4, False),
    ("from mmcv.cnn import ConvModule", "ConvModule(4, 4, 1, act_cfg=dict(type='LeakyReLU'), inplace=False)", 4, False),
    ("from mmcv.cnn import ConvModule", "ConvModule(4, 4, 1, act_cfg=dict(type='LeakyReLU'))", 4, True),
    ("from mmcv.cnn.bricks import ConvModule", "ConvModule(4, 4, 1, act_cfg=dict(type='Sigmoid'))", 4, True),
    ("from mmcv import cnn", "cnn.DepthwiseSeparableConvModule(4, 4, 3, padding=1)", 4, True),
    ("from mmcv.cnn import build_norm_layer", "build_norm_layer(dict(type='GN', num_groups=2), 4)[1]", 4, False),
    ("from mmcv.cnn import build_activation_layer as act", "act(dict(type='Tanh'))", 4, None),
    ("from mmcv.cnn import build_conv_layer as conv", "conv(None, 4, 4, 1)", 4, False),
    (
        "from mmcv.runner import ModuleList; from torch import nn",
        "ModuleList([nn.Conv2d(4, 4, 1), nn.ReLU()])[-1]",
        4,
        None,
    ),
    (
        "from mmengine.model import Sequential; from torch import nn",
        "Sequential(nn.Conv2d(4, 4, 1), nn.ReLU())",
        4,
        True,
    ),
    ("from torchvision import models", "models.resnet18()", 3, False),
    ("from torchvision.models import resnet50", "torch.nn.Sequential(*list(resnet50().children())[:-2])", 3, True),
    ("import torchvision", "torchvision.models.vgg16(pretrained=False).features[:4]", 3, True),
    ("import torchvision", "torchvision.models.vgg16_bn().features[:3]", 3, True),
    ("import torchvision", "torchvision.models.vgg19().features[:3]", 3, False),
    ("import torchvision.models as models", "models.vgg19_bn().features[:2]", 3, False),
    ("from torchvision.models.resnet import BasicBlock", "BasicBlock(4, 4)", 4, True),
    ("from torchvision.models.resnet import Bottleneck", "Bottleneck(4, 1)", 4, True),
    (
        "from torchvision import transforms; from torch import nn",
        "transforms.Compose([nn.Conv2d(4, 4, 1), nn.ReLU()])",
        4,
        True,
    ),
    (
        "from torchvision.transforms import Compose; from torch import nn",
        "Compose([nn.ReLU(), nn.Conv2d(4, 4, 1)])",
        4,
        False,
    ),
]


@pytest.mark.usefixtures("libraries")
@pytest.mark.parametrize(("imports", "made", "channels", "fails"), CASES, ids=[case[1] for case in CASES])
def test_torch_and_linter_agree(imports: str, made: str, channels: int, fails: bool | None) -> None:
    source = PROGRAM.format(imports=imports, made=made, channels=channels)
    raised = ""
    try:
        exec(compile(source, "program.py", "exec"), {})
    except RuntimeError as error:
        raised = str(error)
    if fails is None:
        assert "does not require grad" in raised
    else:
        assert ("modified by an inplace operation" in raised) == fails, raised
    codes = [(found.code, found.span.start.row) for found in check_source(source, "program.py")]
    assert codes == ([("IPL202", 6)] if fails else []), source


def test_every_name_leads_to_a_definition() -> None:
    assert {Path(key).name for key, _ in stubs().values()} == {path.name for path in FOLDER.glob(f"*{SUFFIX}")}
    for key, name in stubs().values():
        source = Path(key).read_text(encoding="utf-8")
        assert re.search(rf"^(class|def) {name}\b", source, re.M)
