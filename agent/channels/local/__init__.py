"""The socket of an AURA_HOME: a command beside `aura chat` or `aura bot` is carried out by that program."""
