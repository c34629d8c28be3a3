"""Coming in and finding one's way: opening a launch, the landing page, home, set-up, and the EHR's colours."""
