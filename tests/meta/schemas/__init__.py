"""What must hold of the folder `schemas` before a version is released: looked at here, and not in an installation."""
