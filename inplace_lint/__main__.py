"""``python -m inplace_lint``: the same as the ``inplace-lint`` command."""

from inplace_lint.cli import main

if __name__ == "__main__":
    main()
