"""What leaves the data center: HTTP and SMTP, each with its guards. Channels say what to send, this folder sends it."""
