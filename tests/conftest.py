"""What every test gets: no way to the internet. Fixtures of a subject live beside its tests or in tests/fixtures."""
