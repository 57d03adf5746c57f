"""From alerts to people: incidents, who is told of them, and what became of each message."""
