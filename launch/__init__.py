"""SMART App Launch 2.2 as a library: no imaging, no database, nothing of `smart_app`."""
