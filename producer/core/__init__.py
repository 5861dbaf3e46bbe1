"""The product: pure state and rules in the middle, effects behind the ports. Open `poller` first."""
