"""Links that let somebody without an account send us images: made, shown to be meant for them, ended. safety.md group K."""
