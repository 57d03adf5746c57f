"""What is wanted of network servers, what they have, and the secrets that go to them."""
