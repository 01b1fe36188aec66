"""Words from outside: what they reach, what may leave because of them, and what a person reads before it does.

Plain functions of what was recorded; no model has a say in any of them.
"""
