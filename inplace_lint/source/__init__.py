"""Source: which files to read, what they say, and which of them can be passed by. Knows nothing of the IR."""
