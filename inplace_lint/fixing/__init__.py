"""Fixes put into files: chosen, tried, linted again, and written or shown.

``edits`` puts edits into a text, ``documents`` keeps a file's bytes and its text together, ``imports`` spells ``torch``
as the file does, ``rounds`` decides which fixes hold, ``writing`` replaces files.
"""
