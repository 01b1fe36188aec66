"""All plans at one moment, and how an edit becomes the next one: a broken edit leaves the last good version."""
