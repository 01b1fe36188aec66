"""The terminal: a chat with a live plan above the input line, and the same chat over plain lines."""
