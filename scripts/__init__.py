"""What the Makefile runs; no part of Aura itself, and nothing that is installed with it."""
