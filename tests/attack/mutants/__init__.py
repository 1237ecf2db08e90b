"""Wrong lines on purpose: how many of them the tests notice.

A mutant is a source file with one small change. mutmut's operators change the symbolic and the judging code,
cosmic-ray's the compiled kernels, and operators of our own do what both lack. Only the operators are theirs: mutmut's
own runner skips every decorated function (each derivation is cached, each kernel is compiled) and cosmic-ray's starts
a new interpreter for every mutant. Here one process imports the libraries and forks for every mutant.
"""
