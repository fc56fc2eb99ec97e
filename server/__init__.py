"""Around Streamlit's own server: the bounds of a visit, the log, `/health`."""
