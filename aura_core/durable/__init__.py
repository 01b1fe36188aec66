"""Work that survives a kill: the protocols, and one engine per store."""
