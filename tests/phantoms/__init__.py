"""Known pictures: studies whose every value, side and size is known beforehand, and what a screen must show of them."""
