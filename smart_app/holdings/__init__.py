"""What a launch may see: its patient, its checked studies, its checked instances."""
