"""Each part of the product behind HTTP: one module a part, each with `add(app, parts, …)`. Only `factory` calls them."""
