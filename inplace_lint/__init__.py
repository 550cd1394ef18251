"""inplace-lint: reads PyTorch code, never runs it, and finds the in-place writes that autograd rejects."""

__version__ = "0.1.0"
