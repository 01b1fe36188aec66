"""What must last: the one database of a home, documents in it, files that are whole or not there, the home's lock."""
