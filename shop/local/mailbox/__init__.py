"""The local mailbox: a real SMTP server that keeps every mail on disk, and a page that shows them."""
