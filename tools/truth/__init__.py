"""Real PyTorch as the judge of inplace-lint: an oracle, the fixture runner and a generator of random programs.

Words
-----
*judge*: run a program in real torch and say what autograd thought of it.
*finding*: one thing that torch rejected (or got wrong in silence) with the rule code it corresponds to.
*culprit*: the source line of the in-place write that is to blame, which is seldom the line that raised.
*agreement*: the linter flags a program exactly if torch finds fault with it, with the same code on the same line.

The oracle runs every program twice: once as it is, which decides; once watched (`tracking`), which explains.
"""
