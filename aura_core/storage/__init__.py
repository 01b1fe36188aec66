"""Files that must survive: written whole or not at all, held by one program, set aside when damaged."""
