"""Whoever may know of a patient's studies, behind one interface: the chart, DICOMweb archives, and what else is configured."""
