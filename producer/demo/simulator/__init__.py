"""The simulated API of a call centre, with faults on demand: for `demo`, `simulate` and the tests."""

from __future__ import annotations

from producer.demo.simulator.simulator import SERVER, TOKEN, Simulator, serve, server_names, settings_lines

__all__ = ["SERVER", "TOKEN", "Simulator", "serve", "server_names", "settings_lines"]
