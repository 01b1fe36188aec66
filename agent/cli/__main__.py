"""`python -m agent.cli` is `aura`."""

from agent.cli import main

main()
