"""One module for each command; `dragoman.cli.root` lists them."""
