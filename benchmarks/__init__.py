"""Aura side by side with its peers: `make bench` runs every case in one go and holds the figures to the targets."""
