"""What the end-to-end tests stand on: the edge, an sshd, a person with a browser, a home directory."""
