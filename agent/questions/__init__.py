"""A question to a person: asked, shown, answered, replied to, closed; who may answer."""
