"""Naive twins of the fast routines: slow, plain, and written without looking at them."""
