"""From PyTorch's traceback to the line that wrote: what it says, which findings fit it, and what is shown of that."""
