"""Pages made from the database: the list of runs, and a folder of pages for any static web server."""
