"""The service that starts workflows by time, by file and by request, and what it tells of coming times."""
