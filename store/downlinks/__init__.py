"""Commands for devices on their way: asked, sent, and what network servers told of them."""
