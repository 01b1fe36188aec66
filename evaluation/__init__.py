"""How good plans are: Aura beside other planners with the same model, on our own requests and on public sets."""
