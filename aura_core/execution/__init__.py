"""What tasklets share while they run: pools, places, clocks, calls in threads and processes, cancellation."""
