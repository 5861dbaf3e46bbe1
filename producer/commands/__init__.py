"""What the operators' commands compute and print; the command line only parses and calls them."""
