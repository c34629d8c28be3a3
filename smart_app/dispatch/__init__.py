"""How a request leaves the house: e-mail, printed sheet, FHIR Task; reminders and escalation. No patient's name before proof."""
