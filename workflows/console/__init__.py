"""The files of the web console, apart from how they are served.

``files`` reads them from the folder ``console`` beside the packages, with their content type, ETag and compressed form.
``policy`` computes the Content-Security-Policy of its page. ``publishing`` writes a folder that can be copied to S3.
The embedded engine serves the same files (``workflows/embedded/http/console.py``). The console itself is one more
client of the public API.
"""
