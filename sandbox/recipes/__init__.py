"""Recipes: how each demo series gets its pixels. Synthetic anatomy is drawn here; real images come from packages."""
