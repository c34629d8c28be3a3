"""Measures Priors beside Orthanc, nginx and OHIF on one machine, and writes `docs/performance.md`. Never imported by the product."""
