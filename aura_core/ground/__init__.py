"""What every other room may use: events, logs, reasons, suggestions."""
