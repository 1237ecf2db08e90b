"""How claims are observed: modules that draw instances and observe them in NumPy, in fractions and on layers.

The modules say nothing of what should be seen; that is for the claims.
"""
