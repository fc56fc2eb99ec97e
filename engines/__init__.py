"""The training itself. Nothing in this package knows of Streamlit or of charts."""
