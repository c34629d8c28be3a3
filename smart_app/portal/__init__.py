"""The pages of those who send images: on a host name of their own, by link, write-only. It shows nobody's images."""
