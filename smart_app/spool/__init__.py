"""Bytes on their way in: chunk by chunk onto our disk, hashed, recorded, and only then called received. Private (0700), bounded."""
