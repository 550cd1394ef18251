"""What files showed in earlier runs, kept as long as nothing that it rests on has changed."""

from .cache import Cache
from .store import Store

__all__ = ["Cache", "Store"]
