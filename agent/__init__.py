"""The assistant: chat in, plan, run, answer out."""
