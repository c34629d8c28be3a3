"""`priors demo`: the whole demo world and Priors in front of it, on loopback, by one command."""

from sandbox.demo.run import command

__all__ = ["command"]
