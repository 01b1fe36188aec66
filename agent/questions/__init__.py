"""Questions to a person: a question is a durable task whose record is all there is to know of it."""
