"""The gateway: every pixel passes here, and the viewer's outline of a study."""
