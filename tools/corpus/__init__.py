"""Lints the released PyTorch libraries, so that findings on production code can be read, judged and counted.

See ``python -m tools.corpus --help``. ``libraries.txt`` pins what is downloaded, ``verdicts.tsv`` holds what readers made of
the findings.
"""
