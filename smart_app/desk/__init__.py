"""The image desk: all requests of the site, what is late, and whose it is. Staff only."""
