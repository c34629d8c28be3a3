"""Priors, the product: every prior study of one patient, in the chart."""
