"""What every part that writes to disk shares: atomic files and one program at a time."""
