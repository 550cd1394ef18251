"""Nested loops: what an inner loop's older rounds made is not what was there in older rounds of the loop around it."""

from __future__ import annotations

from inplace_lint.api import check_source
from inplace_lint.diagnostics import Severity

SUMS = """\
import torch.nn as nn
from mmcv.cnn import build_conv_layer, build_norm_layer
from mmengine.model import BaseModule, constant_init
class HRModule(BaseModule):
    def __init__(self,
                 norm_cfg=dict(type='BN'),
                 init_cfg=None):
        super().__init__(init_cfg=init_cfg)
        self.norm_cfg = norm_cfg
        self.branches = self._make_branches(num_branches, blocks, num_blocks,
                                            num_channels)
        self.fuse_layers = self._make_fuse_layers()
        self.relu = nn.ReLU(inplace=True)
        if stride != 1 or \
                num_channels[branch_index] * get_expansion(block):
            downsample = nn.Sequential(
                build_conv_layer(
                    bias=False),
                build_norm_layer(
                    num_channels[branch_index] * get_expansion(block))[1])
        layers.append(
            block(
                conv_cfg=self.conv_cfg))
    def _make_fuse_layers(self):
        if self.num_branches == 1:
            return None
        fuse_layers = []
        for i in range(num_out_branches):
            fuse_layer = []
            for j in range(num_branches):
                    fuse_layer.append(
                        nn.Sequential(
                            build_conv_layer(
                                upsample_cfg['align_corners'])))
                    fuse_layer.append(None)
                    conv_downsamples = []
                    for k in range(i - j):
                            conv_downsamples.append(
                                nn.Sequential(
                                    build_conv_layer(
                                        bias=False),
                                    build_norm_layer(self.norm_cfg,
                                                     in_channels[j])[1],
                                    nn.ReLU(inplace=True)))
                    fuse_layer.append(nn.Sequential(*conv_downsamples))
            fuse_layers.append(nn.ModuleList(fuse_layer))
        return nn.ModuleList(fuse_layers)
    def forward(self, x):
        if self.num_branches == 1:
            x[i] = self.branches[i](x[i])
        x_fuse = []
        for i in range(len(self.fuse_layers)):
            y = 0
            for j in range(self.num_branches):
                if i == j:
                    y += x[j]
                else:
                    y += self.fuse_layers[i][j](x[j])
            x_fuse.append(self.relu(y))
        return x_fuse
"""


def test_a_sum_of_this_outer_round_is_not_the_one_that_an_older_round_kept() -> None:
    assert [found.code for found in check_source(SUMS, "program.py") if found.severity >= Severity.WARNING] == []
