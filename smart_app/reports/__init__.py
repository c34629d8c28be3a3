"""Reports beside images: which of them belong to a study, what they say, made safe, and in which state they are."""
