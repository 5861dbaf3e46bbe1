"""The parts put together: the running service and the single poll. With the commands all that knows every room."""
