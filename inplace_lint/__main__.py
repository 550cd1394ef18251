"""``python -m inplace_lint``: the same as the ``inplace-lint`` command."""

import os
import sys

if __name__ == "__main__":
    # With -m Python looks for modules in the current folder first, which holds the code that is linted, not code to run.
    # It goes to the end where the linter itself lies there, since further processes have to find it.
    here = os.getcwd()
    if sys.path and sys.path[0] in ("", here):
        del sys.path[0]
        if os.path.dirname(os.path.dirname(os.path.abspath(__file__))) == here:
            sys.path.append(here)

from inplace_lint.cli import main

if __name__ == "__main__":
    main()
