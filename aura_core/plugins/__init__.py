"""A plan's Python: imported, registered, injected with services, called through middleware."""
