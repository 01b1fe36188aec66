"""One client for every OpenAI-compatible endpoint, the embedded model, and what calls cost."""
