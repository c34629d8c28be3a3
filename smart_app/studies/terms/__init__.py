"""What the field's codes and words mean for comparing studies. Tables with their sources; no decisions."""
