"""The language server: what ``inplace-lint server`` runs, for editors that speak the Language Server Protocol.

*Buffer*: the text of a file as it stands in the editor. *Places*: positions of a text in the units that the client counts in.
``linting`` decides when to lint, ``../session.py`` what; ``messages`` and ``actions`` turn findings into what clients read.
Needs pygls, which the extra ``lsp`` brings.
"""
