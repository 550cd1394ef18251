"""The abstract domain: conditions, values, objects on the heap, and the state that holds them.

It knows what a storage, a version counter, a graph node and a saved tensor are, and how states join.
It knows no op names, no syntax and no rules.
"""
