"""The parts that the end-to-end tests use: the edge, an sshd, a person with a browser, a home directory."""
