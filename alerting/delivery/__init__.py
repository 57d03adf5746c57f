"""From what evaluation found to people: incidents, who is told and when, words, and the worker that sends them."""
