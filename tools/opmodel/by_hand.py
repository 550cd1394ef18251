"""Arguments for the few ops of which PyTorch has no samples and whose arguments cannot be made up from their types.

These are inputs only: what the ops do with them is observed like everything else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

import numpy as np
import torch
from torch import nn

from tools.opmodel.samples import Sample


def _x(*shape: int) -> torch.Tensor:
    return torch.rand(shape, dtype=torch.float64) * 0.5 + 0.25


def _s(*args: object, **kwargs: object) -> Sample:
    return Sample(args, kwargs)


@cache
def by_hand() -> Mapping[str, tuple[Sample, ...]]:
    """Samples by spelling."""
    torch.default_generator.manual_seed(0)
    flags = [_x(3, 3) > 0.5]
    lstm = [_x(8, 4), _x(8, 2), _x(8), _x(8)]
    gru = [_x(6, 4), _x(6, 2), _x(6), _x(6)]
    rnn = [_x(2, 4), _x(2, 2), _x(2), _x(2)]
    found: dict[str, tuple[Sample, ...]] = {
        "torch.from_numpy": (_s(np.ones((2, 3))),),
        "torch.frombuffer": (_s(bytearray(32), dtype=torch.float64),),
        "torch.tensor": (_s([1.0, 2.0]), _s(1.0), _s(_x(2, 3)), _s(np.ones((2, 3)))),
        "torch.as_tensor": (
            _s([1.0, 2.0]),
            _s(_x(2, 3)),
            _s(_x(2, 3), dtype=torch.float32),
            _s(_x(2, 3), dtype=torch.float64),
        ),
        "torch.asarray": (_s([1.0, 2.0]), _s(_x(2, 3)), _s(_x(2, 3), dtype=torch.float32), _s(_x(2, 3), copy=True)),
        "torch.nn.functional.affine_grid": (_s(_x(2, 2, 3), (2, 3, 4, 4)),),
        "torch.affine_grid_generator": (_s(_x(2, 2, 3), (2, 3, 4, 4), False),),
        "torch.nn.functional.upsample": (
            _s(_x(2, 3, 4, 4), scale_factor=2),
            _s(_x(2, 3, 4, 4), (8, 8), mode="bilinear"),
        ),
        "torch.nn.functional.conv_tbc": (_s(_x(5, 2, 3), _x(3, 3, 4), _x(4), 1),),
        "torch.conv_tbc": (_s(_x(5, 2, 3), _x(3, 3, 4), _x(4), 1),),
        "torch.batch_norm": (
            _s(_x(4, 3), _x(3), _x(3), _x(3), _x(3), True, 0.1, 1e-5, False),
            _s(_x(4, 3), _x(3), _x(3), _x(3), _x(3), False, 0.1, 1e-5, False),
        ),
        "torch.instance_norm": (
            _s(_x(4, 3, 5), _x(3), _x(3), _x(3), _x(3), True, 0.1, 1e-5, False),
            _s(_x(4, 3, 5), _x(3), _x(3), _x(3), _x(3), False, 0.1, 1e-5, False),
        ),
        # In PyTorch's samples one batch is of one matrix.
        **{
            spelling: (_s(_x(2, 3, 4), _x(2, 4, 3)), _s(_x(3, 4), _x(4, 2)))
            for spelling in ("torch.matmul", "Tensor.matmul", "Tensor.__matmul__")
        },
        # In PyTorch's samples single dimensions stay where they are.
        **{
            spelling: (_s(_x(2, 3, 4), 0, 2), _s(_x(2, 3, 4), -1, -2))
            for spelling in ("torch.movedim", "torch.moveaxis", "Tensor.movedim", "Tensor.moveaxis")
        },
        "torch.nn.functional.group_norm": (_s(_x(2, 4, 3, 3), 2, _x(4), _x(4)),),
        "torch.einsum": (
            _s("abc,cd->abd", _x(2, 3, 4), _x(4, 3)),
            _s("abcd,de->abce", _x(2, 3, 2, 4), _x(4, 3)),
            _s("abcd,abed->abce", _x(2, 3, 2, 4), _x(2, 3, 3, 4)),
        ),
        "torch.chain_matmul": (_s(_x(2, 3), _x(3, 4), _x(4, 2)),),
        "torch.grid_sampler": (_s(_x(2, 3, 4, 4), _x(2, 4, 4, 2), 0, 0, False),),
        "torch.convolution": (_s(_x(2, 3, 4, 4), _x(5, 3, 2, 2), _x(5), (1, 1), (0, 0), (1, 1), False, (0, 0), 1),),
        "torch.cosine_embedding_loss": (_s(_x(4, 3), _x(4, 3), torch.tensor([1, -1, 1, -1])),),
        "torch.ctc_loss": (
            _s(_x(6, 2, 4).log_softmax(2), torch.tensor([[1, 2], [2, 3]]), torch.tensor([6, 6]), torch.tensor([2, 2])),
        ),
        "torch.embedding_bag": (_s(_x(5, 3), torch.tensor([0, 1, 2, 1]), torch.tensor([0, 2])),),
        "torch.max_pool1d": (_s(_x(2, 3, 8), 2),),
        "torch.max_pool1d_with_indices": (_s(_x(2, 3, 8), 2),),
        "torch.max_pool3d": (_s(_x(2, 3, 4, 4, 4), 2),),
        "torch.segment_reduce": (_s(_x(6), "mean", lengths=torch.tensor([2, 4])),),
        "torch.lstm_cell": (_s(_x(3, 4), [_x(3, 2), _x(3, 2)], *lstm),),
        "torch.gru_cell": (_s(_x(3, 4), _x(3, 2), *gru),),
        "torch.rnn_tanh_cell": (_s(_x(3, 4), _x(3, 2), *rnn),),
        "torch.rnn_relu_cell": (_s(_x(3, 4), _x(3, 2), *rnn),),
        "torch.lstm": (_s(_x(5, 3, 4), [_x(1, 3, 2), _x(1, 3, 2)], lstm, True, 1, 0.0, True, False, False),),
        "torch.gru": (_s(_x(5, 3, 4), _x(1, 3, 2), gru, True, 1, 0.0, True, False, False),),
        "torch.rnn_tanh": (_s(_x(5, 3, 4), _x(1, 3, 2), rnn, True, 1, 0.0, True, False, False),),
        "torch.rnn_relu": (_s(_x(5, 3, 4), _x(1, 3, 2), rnn, True, 1, 0.0, True, False, False),),
        "torch.nn.functional.fractional_max_pool2d_with_indices": (_s(_x(2, 3, 6, 6), 2, (3, 3)),),
        "torch.nn.functional.fractional_max_pool3d_with_indices": (_s(_x(2, 3, 6, 6, 6), 2, (3, 3, 3)),),
        "torch.nn.utils.clip_grad_norm_": (_s([_x(3), _x(2, 2)], 1.0),),
        "torch.nn.utils.clip_grad_value_": (_s([_x(3), _x(2, 2)], 1.0),),
        "torch.nn.utils.get_total_norm": (_s([_x(3), _x(2, 2)]),),
        "torch.nn.utils.parameters_to_vector": (_s([_x(3), _x(2, 2)]),),
        "torch.nn.utils.vector_to_parameters": (_s(_x(7), [_x(3), _x(2, 2)]),),
        "torch.nn.utils.rnn.pad_sequence": (_s([_x(3, 2), _x(2, 2)]), _s([_x(3, 2), _x(2, 2)], batch_first=True)),
        "torch.nn.utils.rnn.pack_sequence": (_s([_x(3, 2), _x(2, 2)]),),
        "torch.nn.utils.rnn.pack_padded_sequence": (_s(_x(3, 2, 4), torch.tensor([3, 2])), _s(_x(3, 2, 4), [3, 2])),
        "torch.nn.utils.rnn.unpad_sequence": (_s(_x(3, 2, 4), torch.tensor([3, 2])),),
        **{
            spelling: (_s(_x(3, 3), 0.3, 0.6), _s(_x(3, 3), min=0.3), _s(_x(3, 3), max=0.6))
            for spelling in (
                "torch.clamp",
                "torch.clamp_",
                "torch.clip",
                "torch.clip_",
                "Tensor.clamp",
                "Tensor.clamp_",
                "Tensor.clip",
                "Tensor.clip_",
            )
        },
        "Tensor.fill_": (_s(_x(3, 3), _x()), _s(_x(3, 3), 0.5)),
        "Tensor.random_": (_s(_x(3, 3)), _s(_x(3, 3), 5), _s(_x(3, 3), 0, 5)),
        "Tensor.set_": (_s(_x(3, 3), _x(3, 3)),),
        "Tensor.resize_": (_s(_x(3, 3), (3, 3)), _s(_x(3, 3), (9,))),
        "Tensor.resize_as_": (_s(_x(3, 3), _x(9)),),
        "Tensor.apply_": (_s(_x(3, 3), math.sqrt),),
        "Tensor.map_": (_s(_x(3, 3), _x(3, 3), max),),
        "Tensor.copy_": (_s(_x(3, 3), _x(3, 3)), _s(_x(3, 3), _x(3)), _s(_x(3, 3), _x(3, 3).float())),
        "Tensor.masked_fill_": (
            _s(_x(3, 3), flags[0], 0.5),
            _s(_x(3, 3), flags[0], torch.tensor(0.5, dtype=torch.float64)),
        ),
        "Tensor.type": (_s(_x(3, 3)), _s(_x(3, 3), torch.float64), _s(_x(3, 3), torch.float32)),
        "Tensor.to": tuple(
            _s(_x(3, 3), *args)
            for args in (
                (torch.float64,),
                (torch.float32,),
                ("cpu",),
                ("cpu", torch.float32),
                (_x(2),),
                (_x(2).float(),),
            )
        ),
        "Tensor.new_tensor": (_s(_x(3, 3), [1.0, 2.0]), _s(_x(3, 3), _x(2))),
        "Tensor.new": (_s(_x(3, 3)),),
        "Tensor.as_subclass": (_s(_x(3, 3), torch.Tensor),),
        "Tensor.coalesce": (_s(torch.eye(3, dtype=torch.float64).to_sparse()),),
        "Tensor.is_coalesced": (_s(torch.eye(3, dtype=torch.float64).to_sparse().coalesce()),),
        "Tensor.indices": (_s(torch.eye(3, dtype=torch.float64).to_sparse().coalesce()),),
        "Tensor.values": (_s(torch.eye(3, dtype=torch.float64).to_sparse().coalesce()),),
        "Tensor.numpy": (_s(_x(3, 3)),),
        "Tensor.__array__": (_s(_x(3, 3)),),
        "Tensor.__format__": (_s(_x(), ".2f"),),
        "Tensor.__index__": (_s(torch.tensor(1)),),
        "Tensor.squeeze_": (_s(_x(3, 1, 3)), _s(_x(3, 1, 3), 1)),
        "Tensor.unflatten": (_s(_x(4, 6), 1, (2, 3)),),
    }
    return found


@cache
def modules_by_hand() -> Mapping[str, tuple[tuple[Mapping[str, object], Sample], ...]]:
    """Constructor arguments and inputs by class of torch.nn."""
    torch.default_generator.manual_seed(0)
    layers = [
        [layer(4, 2, 8, dropout=0.0, batch_first=first) for first in (False, True)]
        for layer in (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
    ]
    indices = torch.tensor([[0, 1, 2], [3, 4, 1]])
    # Batched, as nearly everywhere, and in single precision, for which the CPU has a kernel of its own.
    steps, state = _x(3, 3, 4).float(), _x(1, 3, 5).float()
    sizes: dict[str, object] = {"input_size": 4, "hidden_size": 5}
    both: dict[str, object] = {**sizes, "bidirectional": True}
    twice = torch.cat([state, state])
    recurrent = {
        name: (
            (sizes, _s(steps)),
            (sizes, _s(steps, (state, state + 1) if name == "LSTM" else state)),
            (both, _s(steps, (twice, twice + 1) if name == "LSTM" else twice)),
        )
        for name in ("GRU", "LSTM", "RNN")
    }
    # PyTorch's samples have batches of one, which are contiguous however they are turned.
    heads: dict[str, object] = {"embed_dim": 4, "num_heads": 2}
    block: dict[str, object] = {"d_model": 4, "nhead": 2, "dim_feedforward": 8}
    turned: dict[str, object] = {**block, "batch_first": True, "norm_first": True}
    three = (_x(3, 2, 4), _x(3, 2, 4) + 1, _x(3, 2, 4) + 2)
    return {
        **recurrent,
        "MultiheadAttention": (
            (heads, _s(*three)),
            (heads, Sample(three, {"need_weights": False})),
            ({**heads, "add_bias_kv": True}, _s(*three)),
        ),
        "TransformerEncoderLayer": ((block, _s(three[0])), (turned, _s(three[0]))),
        "TransformerDecoderLayer": ((block, _s(*three[:2])),),
        "Transformer": (({**block, "num_encoder_layers": 1, "num_decoder_layers": 1}, _s(*three[:2])),),
        "AdaptiveLogSoftmaxWithLoss": (
            ({"in_features": 4, "n_classes": 6, "cutoffs": [2, 4]}, _s(_x(3, 4), torch.tensor([0, 3, 5]))),
        ),
        "EmbeddingBag": (({"num_embeddings": 5, "embedding_dim": 3}, _s(indices)),),
        "Fold": (({"output_size": (4, 5), "kernel_size": (2, 2)}, _s(_x(1, 12, 12))),),
        "TransformerEncoder": tuple(({"encoder_layer": one, "num_layers": 1}, _s(_x(3, 2, 4))) for one in layers[0]),
        "TransformerDecoder": tuple(
            ({"decoder_layer": one, "num_layers": 1}, _s(_x(3, 2, 4), _x(3, 2, 4))) for one in layers[1]
        ),
    }
