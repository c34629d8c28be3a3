"""How connections of the web workers are held: who is slow holds no thread that a clinician's page needs. Knows gunicorn, and no page."""
